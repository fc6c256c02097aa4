import { describe, expect, it } from "vitest";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import { RunReport } from "#schemas/artifacts/run-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { SandboxOutput } from "#schemas/messages/sandbox.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { fakeSource, fakeSourcePorts } from "#test/fakes/source-tree.ts";
import { runInSandbox } from "./run-in-sandbox.ts";

async function run(command: string, limits: Partial<SandboxProfile> = {}, profile = "small") {
  const fake = fakeAgentContext({ service: "sandbox", step: "run" });
  const small = generousProfile({ output_bytes_max: 10_000, processes_max: 50, ...limits });
  const source = await fakeSource(fake.blobs, { "hello.txt": "hello" });
  const result = await runInSandbox({ source, command, profile }, fake.context, {
    ...fakeSourcePorts(fake.blobs),
    backend: processBackend,
    sandboxLimits: () => ({
      value: {
        $schema: "",
        source_bytes_max: 1e6,
        tree_bytes_max: 1e6,
        tree_files_max: 100,
        profiles: { small },
      },
      hash: "b".repeat(64),
    }),
  });
  SandboxOutput.parse(result.output);
  const report = RunReport.parse(JSON.parse(fake.artifacts.get("run/report.json")!.bytes.toString()));
  return { fake, result, report, log: fake.artifacts.get("run/output.log")?.bytes.toString() };
}

describe("a command of the run workflow", () => {
  it("passes with its output kept", async () => {
    const { result, report, log } = await run("cat hello.txt");
    expect(result).toMatchObject({ verdict: "passed", output: { exit_code: 0 } });
    expect(report).toMatchObject({ verdict: "passed", code: null, isolation: "reduced", profile: "small" });
    expect(log).toBe("hello");
  });

  it("leaves files as artifacts, under safe names, and no links", async () => {
    const { report, fake } = await run(
      'mkdir ~/artifacts && cd ~/artifacts && echo one > "a b" && ln -s /etc/passwd link',
    );
    expect(report.files).toEqual([{ path: "run/files/a_b", bytes: 4 }]);
    expect(report.files_left_out).toEqual([{ name: "link", why: "it is a link" }]);
    expect(fake.artifacts.get("run/files/a_b")?.bytes.toString()).toBe("one\n");
    expect(fake.artifacts.has("run/files/link")).toBe(false);
  });

  it("fails by its exit code", async () => {
    const { result, report } = await run("exit 4");
    expect(result).toMatchObject({ verdict: "failed", code: "COMMAND_FAILED", output: { exit_code: 4 } });
    expect(report.reason).toBe("the command ended with exit code 4");
  });

  it("fails by a limit, which is named", async () => {
    const { result, report } = await run("yes", { output_bytes_max: 5000 });
    expect(result).toMatchObject({ verdict: "failed", code: "SANDBOX_OUTPUT", output: { exit_code: null } });
    expect(report.phase.limit).toMatchObject({ limit: 5000 });
  });

  it("ends in error when there is no sandbox good enough", async () => {
    const { result, report, log } = await run("true", { isolation_minimum: "full" });
    expect(result).toMatchObject({ verdict: "error", code: "SANDBOX_UNAVAILABLE" });
    expect(report.phase.status).toBe("error");
    expect(log).toMatch(/^nothing ran/);
  });

  it("is refused under an unknown profile", async () => {
    await expect(run("true", {}, "huge")).rejects.toMatchObject({ code: "PROFILE_UNKNOWN" });
  });
});
