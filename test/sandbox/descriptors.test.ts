import { execFile, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { confinedCode } from "#lib/code/confined/confined-code.ts";
import { createMinilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { runGit } from "#lib/code/source/run-git.ts";
import { createConfinement } from "#lib/platform/confined/confinement.ts";
import { removeTree } from "#lib/platform/processes/remove-tree.ts";
import { inheritableDescriptors, spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { npmRegistry } from "#lib/sandbox/network/npm-registry.ts";
import { listProcesses, readProcess } from "#lib/sandbox/process/process-table.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { runCommand } from "#lib/sandbox/run-command.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import { refusingBackend, withWorkspace } from "#lib/sandbox/with-workspace.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { realTable } from "#test/fakes/real-table.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { needing, underEachBackend } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";

/** Where the platform starts a process; each has a test below. */
const STARTERS = [
  "lib/code/embedding/minilm-embedder.ts",
  "lib/code/source/run-git.ts",
  "lib/platform/confined/child.ts",
  "lib/platform/processes/remove-tree.ts",
  "lib/sandbox/network/npm-registry.ts",
  "lib/sandbox/network/sandbox-network.ts",
  "lib/sandbox/process/start-process.ts",
  "lib/sandbox/process/tool-path.ts",
  "lib/sandbox/volume/sealed-volume.ts",
  "lib/sandbox/volume/volume.ts",
];
const PATIENCE = { timeout: 60_000, interval: 5 };
const with_bubblewrap = await needing("bubblewrap");
const directory = temporaryDirectory("descriptors");

let table: Awaited<ReturnType<typeof realTable>>;
let leaked: string[];
beforeAll(async () => {
  table = await realTable(); // LevelDB opens its files without O_CLOEXEC, in this process
  leaked = inheritableDescriptors().map((descriptor) => readlinkSync(`/proc/self/fd/${descriptor}`));
});
afterAll(async () => {
  await table.close();
});

/** What the processes below this one have open above descriptor 2: command line → targets. */
function openBelow(root = process.pid): Map<string, string[]> {
  const parents = new Map((listProcesses() ?? []).map((pid) => [pid, readProcess(pid)?.parent ?? 0]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === root || (parent > 1 && isBelow(parent));
  };
  const found = new Map<string, string[]>();
  for (const pid of parents.keys()) {
    if (!isBelow(pid)) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
      const open = readdirSync(`/proc/${pid}/fd`).filter((descriptor) => Number(descriptor) > 2);
      const targets = open.map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
      found.set(line, [...(found.get(line) ?? []), ...targets]);
    } catch {
      // It has ended, or closed a file meanwhile.
    }
  }
  return found;
}

/** Looks at every process below this one, again and again, until `running` settles. */
async function watched(running: Promise<unknown>): Promise<Map<string, string[]>> {
  const seen = new Map<string, string[]>();
  let over = false;
  const settled = running.finally(() => {
    over = true;
  });
  while (!over) {
    for (const [line, targets] of openBelow()) seen.set(line, [...(seen.get(line) ?? []), ...targets]);
    await delay(2);
  }
  await settled;
  return seen;
}

function expectClean(seen: Map<string, string[]>, ...programs: RegExp[]): void {
  for (const program of programs) {
    expect(
      [...seen.keys()].some((line) => program.test(line)),
      `${program} in ${[...seen.keys()]}`,
    ).toBe(true);
  }
  for (const [line, targets] of seen) {
    expect(
      targets.filter((target) => leaked.includes(target)),
      line,
    ).toEqual([]);
  }
}

async function run(backend: SandboxBackend, command: string, limits: Partial<SandboxProfile> = {}) {
  const profile = generousProfile(limits);
  return withWorkspace({ profile, backend }, (workspace) =>
    runCommand({ ...workspace, command, profile, signal: new AbortController().signal }),
  );
}

/** A program of this name that lives for a moment and prints the text. */
function shortLived(name: string, prints: string): string {
  const file = join(directory, name);
  writeFileSync(file, `#!/bin/sh\nsleep 0.3\necho '${prints}'\n`);
  chmodSync(file, 0o755);
  return file;
}

it("begins with descriptors that a plain child inherits: else nothing here would be proven", () => {
  expect(leaked.some((target) => target.endsWith("/LOCK"))).toBe(true);
  const { stdout } = spawnSync("/bin/ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
  expect(stdout).toContain("/LOCK");
});

await underEachBackend(
  (name) => `under the ${name} backend`,
  (backend) => {
    it("a command, and every process it can see but the worker's, has only what it was given", async () => {
      const result = await run(backend, "ls -l /proc/self/fd; echo; cat <&0; ls -l /proc/$$/fd");
      expect(result.exit_code).toBe(0);
      const targets = [...result.stdout.toString().matchAll(/ (\d+) -> (.*)$/gm)].map(([, fd, to = ""]) => ({
        fd: Number(fd),
        to,
      }));
      expect(targets.filter(({ fd }) => fd <= 2).length).toBe(6);
      for (const { fd, to } of targets) {
        if (fd !== 1 && fd !== 2) expect(to).toMatch(/^(\/dev\/null|\/proc\/\d+\/fd)$/);
        expect(leaked.filter((target) => target !== "/dev/null")).not.toContain(to);
      }
    });

    it("all that stands around a command has nothing of the worker's open", async () => {
      const programs =
        backend.name === "process" ? [/sleep/, /read -r group/] : [/sleep/, /unshare/, /bwrap/];
      expectClean(await watched(run(backend, "sleep 1")), ...programs);
    });

    it("a command that looks for descriptors in all of /proc finds none of the database's", async () => {
      const seen = await run(backend, "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c -F /LOCK; true");
      // Under reduced isolation it sees the worker itself, which here holds the table on purpose.
      if (backend.isolation === "full") expect(seen.stdout.toString().trim()).toBe("0");
    });
  },
);

describe("the other processes the platform starts", () => {
  with_bubblewrap.it("the listener of the filtering proxy", async () => {
    const network: SandboxProfile["network"] = {
      ...{ mode: "allow", hosts: ["a.example"], npm_registry: false, private_hosts: {} },
      ...{ bytes_max: 1000, connections_max: 1 },
    };
    expectClean(await watched(run(await strongestBackend(), "true", { network })), /127\.0\.0\.1/);
  });

  it("npm, when it is asked for its registry, and the shell that looks for npm", async () => {
    shortLived("npm", '{"registry":"https://registry.example/"}');
    vi.stubEnv("PATH", `${directory}:${process.env.PATH}`);
    const asked = npmRegistry();
    expectClean(await watched(asked), /npm config list/);
    expect((await asked).url.host).toBe("registry.example");
    vi.unstubAllEnvs();
  });

  it("a child process that computes on submitted input", async () => {
    const fixture = new URL("../fakes/confined-child.ts", import.meta.url);
    const confinement = createConfinement(fixture, 1);
    const limits = { wall_seconds_max: 60, memory_bytes_max: 256 * 1024 * 1024, output_bytes_max: 1024 };
    const { signal } = new AbortController();
    const computed = confinement.run({ name: "echo", result: z.unknown() }, "x", {
      tenant: "acme",
      signal,
      deadline_ms: undefined,
      limits,
    });
    expectClean(await watched(computed), /fakes\/confined-child\.ts/);
    expect(await computed).toBe("x");
    confinement.close();
  });

  it("git", async () => {
    const program = shortLived("git", "");
    const { signal } = new AbortController();
    const limits = { memory_bytes_max: 268_435_456, file_bytes_max: 1_048_576 };
    const ran = runGit(["version"], { repository: directory, signal, limits, program });
    expectClean(await watched(ran), /git/);
  });

  it("the child process of computations on submitted input", async () => {
    const code = confinedCode({
      tenant: "acme",
      limits: { wall_seconds_max: 60, memory_bytes_max: 536_870_912, output_bytes_max: 1_048_576 },
      signal: new AbortController().signal,
    });
    expectClean(await watched(code.reportFileVersions(directory)), /confined\/child\.ts/);
  });

  it("the engine that embeds texts", async () => {
    const embedder = createMinilmEmbedder();
    const embedded = embedder.embed(["x"]);
    expectClean(await watched(embedded), /createEmbedder/);
    expect(await embedded).toHaveLength(1);
  });

  it("rm, for paths that are too long", async () => {
    const deep = join(directory, "deep");
    mkdirSync(deep);
    const name = "d".repeat(200);
    await promisify(execFile)(
      "/bin/sh",
      ["-c", `i=0; while [ $i -lt 40 ]; do mkdir ${name}; cd ${name}; i=$((i+1)); done`],
      { cwd: deep },
    );
    expectClean(await watched(removeTree(deep)));
    expect(readdirSync(directory)).not.toContain("deep");
  });

  it("none, where there is no sandbox", async () => {
    const refusing = refusingBackend(new SandboxUnavailable("none"));
    const running = run(refusing, "sleep 5");
    running.catch(() => {});
    const seen = await watched(running.catch(() => {}));
    await expect(running).rejects.toThrow(SandboxUnavailable);
    expect([...seen.keys()].filter((line) => line.includes("sleep 5"))).toEqual([]);
  });

  it("are all known here: a new place that starts processes gets a test in this file", () => {
    const files = ["lib", "functions", "schemas"].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => join(folder, name)),
    );
    const starters = files.filter((file) =>
      readFileSync(file, "utf8").includes("processes/spawn-program.ts"),
    );
    expect(starters.sort()).toEqual(STARTERS);
  });
});

it("a descriptor above the first gap, which Node.js does not close, is covered too", async () => {
  const script = `
    const { spawnProgram } = await import(${JSON.stringify(join(process.cwd(), "lib/platform/processes/spawn-program.ts"))});
    spawnProgram("/bin/ls", ["-l", "/proc/self/fd"], { stdio: ["ignore", "inherit", "inherit"] });`;
  const secret = openSync(join(directory, "secret"), "w");
  const gap = Array.from({ length: 97 }, () => "ignore" as const);
  const child = spawnProgram(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit", ...gap, secret],
  });
  closeSync(secret);
  let printed = "";
  child.stdout?.on("data", (text) => (printed += text));
  await vi.waitUntil(() => child.exitCode !== null && printed.includes("-> /proc/"), PATIENCE);
  expect(printed).toContain("100 -> /dev/null");
});
