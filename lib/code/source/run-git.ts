import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { gitUnavailable } from "#lib/code/source/git-fault.ts";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";

const STDERR_BYTES_MAX = 64 * 1024;

/** Nothing of the surroundings: no configuration, no credentials, no hooks, no proxy, no prompt. */
const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin:/opt/bin:/opt/homebrew/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_PROTOCOL_FROM_USER: "0",
};

const CONFIGURATION = [
  "core.hooksPath=/dev/null",
  "http.followRedirects=false",
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=30",
  "credential.helper=",
  "submodule.recurse=false",
  "fetch.recurseSubmodules=false",
  "transfer.bundleURI=false", // else a server may name another one to fetch from
  "gc.auto=0",
  "maintenance.auto=false",
  "core.bigFileThreshold=16m",
];

interface RunGitOptions {
  repository: string;
  signal: AbortSignal;
  program?: string | undefined;
  configuration?: readonly string[];
  /** What it may connect by; without it, by nothing. */
  protocols?: readonly string[];
  /** Gets the process to write to and read from; without it stdout is dropped. */
  exchange?(stdin: Writable, stdout: Readable): Promise<void>;
}

/**
 * Runs git on a bare repository and gives its exit code and the end of its stderr. The whole
 * process group ends with the call, however it ends.
 *
 * @throws TerminalFault `GIT_UNAVAILABLE`; the signal's reason when aborted; what `exchange` threw
 */
export async function runGit(
  command: readonly string[],
  options: RunGitOptions,
): Promise<{ exit_code: number | null; stderr: string }> {
  options.signal.throwIfAborted();
  const settings = [...CONFIGURATION, ...(options.configuration ?? [])].flatMap((line) => ["-c", line]);
  const child = spawnProgram(
    options.program ?? "git",
    [...settings, `--git-dir=${options.repository}`, ...command],
    {
      env: { ...ENVIRONMENT, GIT_ALLOW_PROTOCOL: options.protocols?.join(":") ?? "" },
      cwd: "/",
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    },
  ) as ChildProcessByStdio<Writable, Readable, Readable>;
  const kill = () => killGroup(child);
  options.signal.addEventListener("abort", kill, { once: true });
  try {
    const closed = once(child, "close").catch((error) => {
      throw gitUnavailable(error);
    });
    const stderr = readEnd(child.stderr);
    child.stdin.on("error", () => {});
    const exchanged = options.exchange?.(child.stdin, child.stdout) ?? drop(child);
    const failed = exchanged.then(
      () => undefined,
      (error: unknown) => {
        kill();
        return { error };
      },
    );
    const [exit_code] = (await closed) as [number | null];
    options.signal.throwIfAborted();
    const failure = await failed;
    if (failure !== undefined) throw failure.error;
    return { exit_code, stderr: await stderr };
  } finally {
    options.signal.removeEventListener("abort", kill);
    kill();
  }
}

function killGroup(child: ChildProcessByStdio<Writable, Readable, Readable>): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}

async function drop(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<void> {
  child.stdin.end();
  child.stdout.resume();
}

async function readEnd(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text = (text + String(chunk)).slice(-STDERR_BYTES_MAX);
  return text;
}
