import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { type Fault, RejectedInput, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";

const STDERR_BYTES_KEPT = 64 * 1024;
/** Git passes on the server's messages, and a hostile server may send them without end. */
const STDERR_BYTES_MAX = 8 * 1024 * 1024;
const FILE_MARGIN_BYTES = 1024 * 1024;
/** The unit of `ulimit -f` in POSIX. Some shells use a larger unit. */
const BLOCK_BYTES = 512;
/** Exit codes of a shell when the program cannot be run or does not exist. */
const NOT_STARTED = [126, 127];

/**
 * Sets limits that every process started by git inherits: no core file, private memory, and the size
 * of any one file. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ulimit.html
 */
const SHELL = 'ulimit -c 0; ulimit -d "$1" 2>/dev/null; ulimit -f "$2"; shift 2; exec "$@"';

/** The whole environment of git: no configuration, no credentials, no hooks, no proxy, no prompt. */
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
  "transfer.bundleURI=false", // else a server may redirect git to fetch from another one
  "gc.auto=0",
  "maintenance.auto=false",
  "core.bigFileThreshold=16m",
  "pack.threads=1",
];

/** Limits of each process. */
export interface RunLimits {
  memory_bytes_max: number;
  /** Size of any one written file. */
  file_bytes_max: number;
}

/** The limits of a git process for a source with these ports. */
export function runLimitsOf({ git_limits, limits }: Pick<SourcePorts, "git_limits" | "limits">): RunLimits {
  return {
    memory_bytes_max: git_limits.memory_bytes_max,
    // Larger than the tree's limit, so that exceeding that limit is noticed.
    file_bytes_max: limits.tree_bytes_max + FILE_MARGIN_BYTES,
  };
}

interface RunGitOptions {
  repository: string;
  signal: AbortSignal;
  limits: RunLimits;
  program?: string | undefined;
  configuration?: readonly string[];
  /** Protocols git may use for connections; none when absent. */
  protocols?: readonly string[];
  /** Writes to and reads from the process; without it stdout is discarded. */
  exchange?(stdin: Writable, stdout: Readable): Promise<void>;
}

/**
 * Runs git on a bare repository and returns its exit code and the end of its stderr. The whole
 * process group is killed when the call ends.
 *
 * @throws TerminalFault `GIT_UNAVAILABLE`; RejectedInput `GIT_OUTPUT_LIMIT`; the signal's reason when aborted; what `exchange` threw
 */
export async function runGit(
  command: readonly string[],
  options: RunGitOptions,
): Promise<{ exit_code: number | null; stderr: string }> {
  options.signal.throwIfAborted();
  const { memory_bytes_max, file_bytes_max } = options.limits;
  const settings = [...CONFIGURATION, ...(options.configuration ?? [])].flatMap((line) => ["-c", line]);
  const limits = [memory_bytes_max / 1024, file_bytes_max / BLOCK_BYTES].map((limit) =>
    String(Math.ceil(limit)),
  );
  const program = [options.program ?? "git", ...settings, `--git-dir=${options.repository}`, ...command];
  const child = spawnProgram("/bin/sh", ["-c", SHELL, "sh", ...limits, ...program], {
    env: { ...ENVIRONMENT, GIT_ALLOW_PROTOCOL: options.protocols?.join(":") ?? "" },
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  }) as GitProcess;
  const kill = () => killGroup(child);
  options.signal.addEventListener("abort", kill, { once: true });
  // A helper process of git may outlive it and keep its pipes open.
  child.once("exit", kill);
  try {
    const closed = once(child, "close").catch((error) => {
      throw gitUnavailable(error);
    });
    const stderr = readEnd(child.stderr, kill);
    stderr.catch(() => {}); // awaited below
    child.stdin.on("error", () => {});
    const exchanged = options.exchange?.(child.stdin, child.stdout) ?? discardOutput(child);
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
    if (exit_code !== null && NOT_STARTED.includes(exit_code)) throw gitUnavailable(await stderr);
    const stderr_end = await stderr;
    if (failure !== undefined) throw failure.error;
    return { exit_code, stderr: stderr_end };
  } finally {
    options.signal.removeEventListener("abort", kill);
    kill();
  }
}

type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>;

function killGroup(child: GitProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}

async function discardOutput(child: GitProcess): Promise<void> {
  child.stdin.end();
  child.stdout.resume();
}

/** @throws RejectedInput `GIT_OUTPUT_LIMIT` */
async function readEnd(stream: Readable, kill: () => void): Promise<string> {
  let text = "";
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes > STDERR_BYTES_MAX) kill();
    text = (text + String(chunk)).slice(-STDERR_BYTES_KEPT);
  }
  if (bytes <= STDERR_BYTES_MAX) return text;
  throw new RejectedInput(
    "GIT_OUTPUT_LIMIT",
    `The git server sent more than ${STDERR_BYTES_MAX} bytes of messages. Pack the tree and upload it instead.`,
  );
}

/** Older versions silently ignore `http.curloptResolve`: https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpcurloptResolve */
const PINNING_SINCE = [2, 37] as const;

const pinning = new Set<string>();

/** @throws TerminalFault `GIT_UNAVAILABLE` when git is too old to be pinned to a checked address */
export async function requirePinning(ports: SourcePorts): Promise<void> {
  const { git_program: program = "git", signal } = ports;
  if (pinning.has(program)) return;
  let printed = "";
  await runGit(["version"], {
    repository: "/nonexistent",
    signal,
    limits: runLimitsOf(ports),
    program,
    exchange: async (stdin, stdout) => {
      stdin.end();
      printed = await text(stdout);
    },
  });
  if (!canPin(printed)) {
    throw new TerminalFault(
      "GIT_UNAVAILABLE",
      `git ${PINNING_SINCE.join(".")} or later is needed where this function runs, and ${JSON.stringify(printed.trim())} is installed. Use the container image, or upload the tree.`,
    );
  }
  pinning.add(program);
}

/** @param version output of `git version` */
export function canPin(version: string): boolean {
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return false;
  const [since_major, since_minor] = PINNING_SINCE;
  return Number(major) > since_major || (Number(major) === since_major && Number(minor) >= since_minor);
}

/** Turns git's stderr (in the C locale) after a failed fetch of `ref` from `url` into a Fault. */
export function gitFault(stderr: string, url: string, ref: string): Fault {
  const message = lastLine(stderr);
  // Lines of the server begin with "remote:" or "remote error:"; git's own out-of-memory error does not.
  if (/^(?:fatal|error): (?!remote).*out of memory/im.test(stderr)) {
    return new RejectedInput(
      "GIT_MEMORY_LIMIT",
      `git exceeded its memory limit on the answer of ${url}. Pack the part that is needed and upload it, or raise git.memory_bytes_max in configs/computation_limits.json.`,
    );
  }
  if (/Operation too slow/i.test(message)) {
    return new RejectedInput(
      "GIT_TIME_LIMIT",
      `${url} sends less than 1000 bytes a second. Try a faster mirror, or pack the tree and upload it.`,
    );
  }
  if (/couldn't find remote ref|not our ref|unadvertised object/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REF_NOT_FOUND",
      `${url} has no branch, tag or commit ${JSON.stringify(ref)}. Commits need all 40 digits and must be on a branch or tag.`,
    );
  }
  if (/could not read (Username|Password)|returned error: 40[13]|Authentication failed/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `${url} asks for credentials; only public repositories can be fetched. Pack the tree and upload it instead.`,
    );
  }
  if (/returned error: 3\d\d|unable to update url base|redirect/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `${url} answers with a redirect, which is not followed. Give the final URL.`,
    );
  }
  if (/not found|returned error: 4(0[0-79]|1)\d?|not valid: is this a git repository/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `There is no git repository at ${url} (${message}). Check the URL.`,
    );
  }
  if (/dumb http transport/i.test(stderr)) {
    return new RejectedInput(
      "GIT_REPOSITORY_REFUSED",
      `${url} serves git by the dumb protocol only, which cannot fetch a single revision. Pack the tree and upload it instead.`,
    );
  }
  // The server's own refusal (an ERR packet): it says the same each time, unless it says that this is for now.
  if (
    /^(?:fatal: )?remote error: /im.test(stderr) &&
    !/tempor|unavailable|busy|overload|again|rate/i.test(message)
  ) {
    return new RejectedInput("GIT_REPOSITORY_REFUSED", `The git server of ${url} refuses: ${message}`);
  }
  if (/is not a git command|Unable to find remote helper/i.test(stderr)) return gitUnavailable(stderr);
  return new RetryableFault(
    "GIT_REPOSITORY_UNREACHABLE",
    `Fetching ${url} failed: ${message}. It is tried again.`,
  );
}

function gitUnavailable(cause: unknown): TerminalFault {
  return new TerminalFault(
    "GIT_UNAVAILABLE",
    "The git program is not installed where this function runs, or cannot speak https. Use the container image, or upload the tree.",
    { cause },
  );
}

function lastLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return (lines.find((line) => line.startsWith("fatal:")) ?? lines.at(-1) ?? "git gave no message")
    .replace(/^fatal:\s*/, "")
    .slice(0, 300);
}

export function unreadableObjects(message: string): RetryableFault {
  return new RetryableFault(
    "GIT_OBJECTS_UNREADABLE",
    `git could not read what it fetched (${message.trim().slice(0, 300)}). It is fetched again.`,
  );
}
