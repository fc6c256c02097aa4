import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { listProcesses, readProcess } from "#lib/sandbox/process/process-table.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { runCommand } from "#lib/sandbox/run-command.ts";
import { withWorkspace } from "#lib/sandbox/with-workspace.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { needing } from "#test/needing.ts";
import { isHere } from "#test/tools.ts";

const MIB = 1024 * 1024;
const INJECT = readFileSync(new URL("./inject.pl", import.meta.url), "utf8");

const strongest = await strongestBackend();
const with_bubblewrap = await needing("bubblewrap");
const with_calls = await needing(
  strongest.isolation !== "full"
    ? "bubblewrap"
    : (await isHere("an x64 machine"))
      ? "perl and a memory control group"
      : "an x64 machine",
);

/** The same sandbox, as if both ways to keep the command off the first process had a hole. */
const open_backend: SandboxBackend = {
  ...strongest,
  async launch(order) {
    const launch = await strongest.launch(order);
    const args = launch.args.toSpliced(launch.args.indexOf("--seccomp"), 2);
    return { ...launch, args: args.toSpliced(args.indexOf("/proc/1") - 2, 3), input: null };
  },
};

function run(backend: SandboxBackend, command: string, limits: Partial<SandboxProfile> = {}) {
  const profile = generousProfile(limits);
  return withWorkspace({ profile, backend }, async (workspace) => {
    await writeFile(join(workspace.tree, "inject.pl"), INJECT);
    return runCommand({ ...workspace, command, profile, signal: new AbortController().signal });
  });
}

with_bubblewrap.describe("the sandbox's first process", () => {
  with_calls.it("cannot be made to work for the command", async () => {
    const result = await run(strongest, "perl inject.pl memory 100");
    expect(result).toMatchObject({ exit_code: 1, limit: null });
    expect(result.stdout.toString()).toBe("refused: Operation not permitted\n");
  });

  for (const call of ["memory 600", "memory 600 released"]) {
    with_calls.it(`would have its memory counted, were it made to work all the same: ${call}`, async () => {
      const result = await run(open_backend, `perl inject.pl ${call}`, { memory_bytes_max: 300 * MIB });
      expect(result.limit, result.log.toString()).toMatchObject({ code: "SANDBOX_MEMORY" });
    });
  }

  with_calls.it("would have its CPU time counted", async () => {
    const result = await run(open_backend, "perl inject.pl spin", { cpu_seconds: 1 });
    expect(result.limit, result.log.toString()).toMatchObject({ code: "SANDBOX_CPU_TIME" });
  });

  with_calls.it("would have its children counted", async () => {
    const result = await run(open_backend, "perl inject.pl fork", { processes_max: 12 });
    expect(result.limit, result.log.toString()).toMatchObject({ code: "SANDBOX_PROCESSES" });
  });

  with_calls.it("is in the command's control groups before the command begins, with all else", async () => {
    const profile = generousProfile();
    const groups = await withWorkspace({ profile, backend: strongest }, async (workspace) => {
      const stop = new AbortController();
      const command = "echo begun > begun; exec sleep 45";
      const running = runCommand({ ...workspace, command, profile, signal: stop.signal }).catch(() => {});
      let found: string[] = [];
      for (let round = 0; round < 1500 && found.length === 0; round++) {
        await delay(20);
        if (isThere(join(workspace.tree, "begun"))) found = groupsBelow(process.pid);
      }
      stop.abort(new Error("seen enough"));
      await running;
      return found;
    });
    expect(groups.length).toBeGreaterThanOrEqual(3); // bwrap outside, bwrap inside, the command
    for (const group of groups) expect(group).toContain("/distributed-agents-");
  });
});

function isThere(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

/** The control groups for processes and memory of bwrap and of all below it. */
function groupsBelow(root: number): string[] {
  const parents = new Map((listProcesses() ?? []).map((pid) => [pid, readProcess(pid)?.parent ?? 0]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === root || (parent > 1 && isBelow(parent));
  };
  const names = [...parents.keys()].filter((pid) => isBelow(pid)).map((pid) => `/proc/${pid}`);
  const sandboxed = names.filter((at) =>
    ["bwrap", "sleep"].includes(readFileSync(`${at}/comm`, "utf8").trim()),
  );
  return sandboxed.map((at) => {
    const lines = readFileSync(`${at}/cgroup`, "utf8").split("\n");
    return lines.filter((line) => /^\d+:(pids|memory)?:/.test(line)).join(" ");
  });
}
