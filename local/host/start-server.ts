import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import type { RunningPart, StartPart } from "./part.ts";

export interface Server {
  /** How messages call it, such as `LocalStack 4.14.0`. */
  title: string;
  command: string;
  arguments: readonly string[];
  /** All of its environment but PATH and HOME. */
  environment: Record<string, string>;
  /** Whether it serves by now. A throw means "not yet". */
  isReady(): Promise<boolean>;
  ready_seconds_max: number;
  stop_seconds_max: number;
}

const LOOK_MS = 200;
const LAST_LINES = 4;
const LAST_CHARACTERS_MAX = 600;

/**
 * Runs the server, and ends it when this process is gone, even by SIGKILL: its standard input is a pipe
 * that only we hold open. Signals to the terminal do not reach it: it ends when it is told.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
trap : TERM
(cat <&3 >/dev/null; kill -TERM $server; sleep 20; kill -KILL $server) 2>/dev/null &
watch=$!
code=0
while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
kill -KILL $watch 2>/dev/null
exit $code
`;

/**
 * Starts a server as a child and answers when it is ready.
 *
 * @throws naming it, its last words and its log when it ends before or is not ready in time.
 */
export async function startServer(
  server: Server,
  { data_directory, log_file }: StartPart,
): Promise<Omit<RunningPart, "endpoint" | "environment">> {
  for (const directory of [data_directory, dirname(log_file)]) mkdirSync(directory, { recursive: true });
  const child = spawnKept(server, data_directory, log_file);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${server.title} could not be started: /bin/sh does not run.`);
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const stop = () => stopGroup(pid, ended, server.stop_seconds_max);
  const outcome = await untilReady(server, ended);
  if (outcome !== "ready") {
    await stop();
    throw new Error(`${server.title} ${outcome}. ${lastWords(log_file)}See ${log_file}`);
  }
  return { pid, ended, stop };
}

function spawnKept(server: Server, data_directory: string, log_file: string): ChildProcess {
  const output = openSync(log_file, "a");
  const { PATH = "/usr/bin:/bin", HOME = data_directory } = process.env;
  const child = spawnProgram("/bin/sh", ["-c", KEEPER, "keeper", server.command, ...server.arguments], {
    cwd: data_directory,
    stdio: ["pipe", output, output],
    env: { PATH, HOME, ...server.environment },
    detached: true, // a process group of its own, so that stop() reaches all of it
  });
  closeSync(output);
  child.stdin?.on("error", () => {});
  return child;
}

async function untilReady(server: Server, ended: Promise<number | null>): Promise<string> {
  const gives_up_at = performance.now() + server.ready_seconds_max * 1000;
  let ending: string | undefined;
  void ended.then((code) => {
    ending = `ended before it was ready (exit ${code})`;
  });
  while (performance.now() < gives_up_at) {
    if (await server.isReady().catch(() => false)) return ending ?? "ready";
    if (ending) return ending;
    await Promise.race([delay(LOOK_MS), ended]);
  }
  return `was not ready within ${server.ready_seconds_max} s`;
}

async function stopGroup(pid: number, ended: Promise<unknown>, seconds_max: number): Promise<void> {
  signalGroup(pid, "SIGTERM");
  const given_up = new AbortController();
  const late = delay(seconds_max * 1000, undefined, { signal: given_up.signal }).catch(() => {});
  await Promise.race([ended, late]);
  given_up.abort();
  signalGroup(pid, "SIGKILL");
  await ended;
}

function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function lastWords(log_file: string): string {
  const lines = readFileSync(log_file, "utf8").trimEnd().split("\n").slice(-LAST_LINES);
  const words = lines.join(" | ").trim().slice(-LAST_CHARACTERS_MAX);
  return words === "" ? "" : `It said: ${words} `;
}
