import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Duplex, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import type { Launch } from "#lib/sandbox/process/sandbox-backend.ts";
import type { OutputPipes } from "#lib/sandbox/volume/output-pipes.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";

export interface SandboxedProcess {
  pid: number;
  alive(): boolean;
  onOutput(accept: (stream: "stdout" | "stderr", chunk: Buffer) => void): void;
  /** Settles when the first process has ended; others may still live. */
  ended: Promise<{ exit_code: number | null; signal: string | null }>;
  /** True once the sandbox was ready to run the command. */
  stood(): boolean;
  /** Calls `prepare` when the sandbox is ready; the command begins when `prepare` is done. It must not throw. */
  onStanding(prepare: () => Promise<void> | undefined): void;
  /** Resolves when all output has arrived. Call it when no process that could write is alive. */
  drained(): Promise<void>;
  /** Ends the watchdog. */
  dismiss(): void;
}

const DRAIN_MS_MAX = 5000;

/** Starts the program of a launch as leader of its own session. Throws SandboxUnavailable. */
export async function startProcess(launch: Launch, pipes: OutputPipes): Promise<SandboxedProcess> {
  const watchdog = launch.marker === null ? null : startWatchdog(launch.marker);
  const files = launch.files.map((path) => openSync(path, "r"));
  const { stdout, stderr } = pipes.open();
  const child = spawnProgram(launch.file, launch.args, {
    cwd: launch.cwd,
    env: launch.environment,
    detached: true,
    stdio: ["ignore", stdout.writer, stderr.writer, "pipe", launch.input ? "pipe" : "ignore", ...files],
  });
  for (const file of [stdout.writer, stderr.writer, ...files]) closeSync(file);
  const readers = [stdout.reader, stderr.reader];
  for (const reader of readers) reader.on("error", () => {});
  const ended = new Promise<{ exit_code: number | null; signal: string | null }>((resolve) => {
    child.once("exit", (exit_code, signal) => resolve({ exit_code, signal }));
  });
  const closed = Promise.all([child, ...readers].map((each) => once(each, "close").catch(() => {})));
  let stood = false;
  const proof = child.stdio[3] as Duplex;
  proof.on("error", () => {});
  const input = child.stdio[4] as Writable | null;
  input?.on("error", () => {});
  input?.end(launch.input);
  try {
    await once(child, "spawn");
  } catch (cause) {
    watchdog?.dismiss();
    for (const reader of readers) reader.destroy();
    throw new SandboxUnavailable(`the sandbox's program ${launch.file} could not be started`, { cause });
  }
  const pid = child.pid as number;
  watchdog?.guard(pid);
  return {
    pid,
    alive: () => child.exitCode === null && child.signalCode === null,
    onOutput: (accept) => {
      stdout.reader.on("data", (chunk: Buffer) => accept("stdout", chunk));
      stderr.reader.on("data", (chunk: Buffer) => accept("stderr", chunk));
    },
    ended,
    stood: () => stood,
    onStanding: (prepare) => {
      proof.once("data", () => {
        stood = true;
        const begin = () => proof.end("\n");
        const preparing = prepare();
        if (preparing) preparing.then(begin, begin);
        else begin();
      });
    },
    drained: () => drain([...child.stdio, ...readers], closed),
    dismiss: () => watchdog?.dismiss(),
  };
}

async function drain(streams: ChildProcess["stdio"][number][], closed: Promise<unknown>): Promise<void> {
  const timeout = new AbortController();
  const given_up = delay(DRAIN_MS_MAX, undefined, { signal: timeout.signal }).catch(() => {});
  await Promise.race([closed, given_up]);
  timeout.abort();
  for (const stream of streams) stream?.destroy();
}

interface Watchdog {
  /** Gives the watchdog the command's process group. */
  guard(group: number): void;
  /** Ends the watchdog: the command and all its processes have ended. */
  dismiss(): void;
}

/** End of file instead of a second line means that the worker has died. */
const SCRIPT = `
read -r group
read -r dismissed && exit 0
[ -n "$group" ] && kill -KILL -- "-$group"
round=0
while [ "$round" -lt 50 ]; do
  round=$((round + 1))
  found=$(grep -lF -- "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  for file in $found; do
    file=\${file#/proc/}
    kill -KILL "\${file%/environ}"
  done
done
`;

/**
 * Starts a shell that kills every process carrying `marker` when the worker dies. Node.js cannot ask the
 * kernel for this (PR_SET_PDEATHSIG), and `setpriv --pdeathsig` would end the first process only.
 */
function startWatchdog(marker: string): Watchdog {
  const watchdog = spawnProgram("/bin/sh", ["-c", SCRIPT, "/bin/sh", marker], {
    detached: true,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.on("error", () => {});
  watchdog.stdin?.on("error", () => {});
  watchdog.unref();
  return {
    guard: (group) => watchdog.stdin?.write(`${group}\n`),
    dismiss: () => watchdog.stdin?.end("dismissed\n"),
  };
}
