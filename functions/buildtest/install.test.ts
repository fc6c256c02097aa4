import { describe, expect, it } from "vitest";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { BuildTestReport } from "#schemas/artifacts/build-test-report.ts";
import type { AllowedNetwork } from "#schemas/config/sandbox-limits.ts";
import type { BuildtestInput } from "#schemas/messages/buildtest.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { fakeSource, fakeSourcePorts } from "#test/fakes/source-tree.ts";
import { needing } from "#test/needing.ts";
import { buildAndTest } from "./build-and-test.ts";

const strongest = await strongestBackend();
const with_bubblewrap = await needing("bubblewrap");

async function run(commands: Partial<BuildtestInput>, backend: SandboxBackend, network?: AllowedNetwork) {
  const fake = fakeAgentContext({ service: "buildtest", step: "buildtest" });
  const profile = generousProfile(network && { install_network: network });
  const source = await fakeSource(fake.blobs, { "README.md": "nothing to build" });
  const result = await buildAndTest({ source, profile: "small", ...commands }, fake.context, {
    ...fakeSourcePorts(fake.blobs),
    backend,
    sandboxLimits: () => ({
      value: {
        ...{ $schema: "", source_bytes_max: 1e6, tree_bytes_max: 1e6, tree_files_max: 100 },
        profiles: { small: profile },
      },
      hash: "a".repeat(64),
    }),
  });
  const text = fake.artifacts.get("build-test/report.json")?.bytes.toString() ?? "null";
  const report = BuildTestReport.parse(JSON.parse(text));
  const phases = report.phases.map(({ name, status }) => `${name} ${status}`);
  return { result, report, phases, log: fake.artifacts.get("build-test/install.log")?.bytes.toString() };
}

describe("an install", () => {
  it("runs first, and what it leaves is there for the build and the test", async () => {
    const commands = { install: "echo got > got", build: "cat got > built", test: "cat built" };
    const { result, phases, log } = await run(commands, processBackend);
    expect([result.verdict, phases]).toEqual(["passed", ["install passed", "build passed", "test passed"]]);
    expect(log).toBe("");
  });

  it("does without a build, and then a failed one stops the test", async () => {
    const good = await run({ install: "true", test: "true" }, processBackend);
    expect(good.phases).toEqual(["install passed", "build skipped", "test passed"]);
    const bad = await run({ install: "echo no such package; exit 3", test: "true" }, processBackend);
    expect(bad.phases).toEqual(["install failed", "build skipped", "test skipped"]);
    expect(bad.result).toMatchObject({
      ...{ verdict: "failed", code: "INSTALL_FAILED", message: "the install ended with exit code 3" },
    });
    expect(bad.report.first_failure).toContain("no such package");
  });

  it("is advised where the build or the test lacks a module, and there was none", async () => {
    const missing = `node -e "require('left-pad/x')"`;
    const { result } = await run({ test: missing }, processBackend);
    expect(result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED" });
    expect(result.message).toMatch(/The module `left-pad` is missing: .*--install/);
    const built = await run({ build: missing, test: "true" }, processBackend);
    expect(built.result.message).toContain("The module `left-pad` is missing");
    for (const commands of [{ install: "true", test: missing }, { test: `node -e "require('./x')"` }]) {
      expect((await run(commands, processBackend)).result.message).not.toContain("--install");
    }
  });

  it("is advised where a program is missing", async () => {
    const { result } = await run({ test: "no-such-program" }, processBackend);
    expect(result).toMatchObject({ code: "BUILD_ENVIRONMENT_BROKEN" });
    expect(result.message).toContain("--install");
  });

  it("ends in error when what it needs is not in the sandbox", async () => {
    const { result, phases } = await run({ install: "no-such-program --now", test: "true" }, processBackend);
    expect(result).toMatchObject({ verdict: "error", code: "BUILD_ENVIRONMENT_BROKEN" });
    expect(phases[0]).toBe("install error");
  });

  it("has the worker's network with reduced isolation, and the report says that nothing was enforced", async () => {
    const network: AllowedNetwork = {
      ...{ mode: "allow", hosts: ["packages.example"], npm_registry: false, private_hosts: {} },
      ...{ bytes_max: 1000, connections_max: 1 },
    };
    const proxy = 'test -z "$HTTPS_PROXY"';
    const { result, report } = await run({ install: proxy, test: "true" }, processBackend, network);
    expect(result.verdict).toBe("passed");
    expect(report.not_enforced).toContain("network");
    expect(report.phases[0]?.network).toBeNull();
  });
});

with_bubblewrap.describe("an install with full isolation", () => {
  const closed: AllowedNetwork = {
    ...{ mode: "allow", hosts: [], npm_registry: false, bytes_max: 1000, connections_max: 4 },
    private_hosts: { "127.0.0.1:1": ["127.0.0.1/32"] }, // a port that nothing listens on
  };
  const connect = (target: string) =>
    `node -e "const s=require('net').connect(3128,'127.0.0.1',()=>s.write('CONNECT ${target} HTTP/1.1\\r\\n\\r\\n'));s.resume();s.on('close',()=>process.exit(1))"`;

  it("ends in error when its registry gives no connection: the work is not at fault", async () => {
    const { result } = await run({ install: connect("127.0.0.1:1"), test: "true" }, strongest, closed);
    expect(result).toMatchObject({ verdict: "error", code: "REGISTRY_UNREACHABLE" });
    expect(result.message).toContain("127.0.0.1:1 could not be reached");
  });

  it("fails when it wanted another host, which is named", async () => {
    const { result, report } = await run(
      { install: connect("example.com:443"), test: "true" },
      strongest,
      closed,
    );
    expect(result).toMatchObject({ verdict: "failed", code: "SANDBOX_NETWORK_DENIED" });
    expect(report.phases[0]?.network?.denied).toEqual([
      { host: "example.com", port: 443, why: "not_listed", address: null, attempts: 1 },
    ]);
  });

  it("names every host that was refused", async () => {
    const install = `${connect("a.example:443")}; ${connect("b.example:8443")}; exit 1`;
    const { result } = await run({ install, test: "true" }, strongest, closed);
    expect(result.message).toContain("a.example:443 (not_listed), b.example:8443 (not_listed)");
  });

  it("names an address that was refused, and the setting that allows it", async () => {
    const network = { ...closed, hosts: ["127.0.0.1:2"] };
    const { result, report } = await run(
      { install: connect("127.0.0.1:2"), test: "true" },
      strongest,
      network,
    );
    expect(result.message).toMatch(/it has the address 127\.0\.0\.1, .*private_hosts/);
    expect(report.phases[0]?.network?.denied).toMatchObject([{ address: "127.0.0.1" }]);
  });

  it("is advised where a test wanted the network, with the host that its output names", async () => {
    const test = "npx --yes no-such-package-of-ours";
    const began_ms = Date.now();
    const { result } = await run({ test }, strongest);
    expect(Date.now() - began_ms).toBeLessThan(60_000);
    expect(result).toMatchObject({ verdict: "failed", code: "SANDBOX_NETWORK_DENIED" });
    expect(result.message).toMatch(
      /The network is off in the test step; its output names \S+\.\S+.*--install/,
    );
  });

  it("has no proxy after it: the build and the test are alone", async () => {
    const gone = `node -e "require('net').connect(3128,'127.0.0.1').on('error',()=>process.exit(0)).on('connect',()=>process.exit(1))"`;
    const commands = {
      install: 'test -n "$HTTPS_PROXY"',
      build: gone,
      test: `test -z "$HTTPS_PROXY" && ${gone}`,
    };
    expect((await run(commands, strongest, closed)).result.verdict).toBe("passed");
  });
});
