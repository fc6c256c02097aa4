import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { anyFreePort } from "./ports.ts";

export interface StackOptions {
  /** Default: any free port. */
  port?: number;
  /** Default: a new temporary directory. */
  data_dir?: string;
  env?: Record<string, string>;
  /** A program and its arguments that run the stack, given as further arguments, in place of themselves. */
  within?: string[];
  /** The folder with serverless.yml. Default: this repository. */
  service_dir?: string;
}

export interface Stack {
  url: string;
  data_dir: string;
  /** Where the development key is, if the service has keys. */
  credentials_file: string | undefined;
  pid: number;
  /** Ends it in order, letting running invocations finish for a bounded time. */
  stop(): Promise<void>;
  /** SIGKILL to the process and everything it started, as a power cut would. */
  kill(): void;
}

const START_MS = 120_000;
const STOP_MS = 40_000;
const OUTPUT_CHARACTERS_MAX = 8_000;

/**
 * Starts the local stack as a child process and answers when it serves. It ends with this process,
 * however this one ends.
 *
 * @throws with what the stack said when it does not become ready.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const port = options.port ?? (await anyFreePort());
  const data_dir = options.data_dir ?? mkdtempSync(join(tmpdir(), "distributed-agents-"));
  const repository = fileURLToPath(new URL("..", import.meta.url));
  const start = fileURLToPath(new URL("start.ts", import.meta.url));
  const [program = process.execPath, ...words] = [
    ...(options.within ?? []),
    process.execPath,
    start,
    "--port",
    String(port),
    "--data-dir",
    data_dir,
  ];
  const child = spawnProgram(program, words, {
    cwd: options.service_dir ?? repository,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    detached: true, // a process group of its own, so that kill() reaches all of it
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("The local stack could not be spawned.");
  const kill = () => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const ready = await whenReady(child).catch((error: Error) => {
    kill();
    throw error;
  });
  return {
    url: ready.url,
    data_dir,
    credentials_file: ready.credentials_file,
    pid,
    kill,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        await Promise.race([exited, delay(STOP_MS, undefined, { ref: false })]);
      }
      kill();
    },
  };
}

async function whenReady(child: ChildProcess): Promise<{ url: string; credentials_file?: string }> {
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said = (said + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  });
  return await new Promise((resolve, reject) => {
    const late = setTimeout(
      () =>
        reject(new Error(`The local stack was not ready within ${START_MS / 1000} s; see its stack.log.`)),
      START_MS,
    );
    child.once("message", (ready) => {
      clearTimeout(late);
      resolve(ready as { url: string });
    });
    child.once("close", (code) => {
      clearTimeout(late);
      reject(new Error(`The local stack ended (exit ${code}). ${said.trim()}`));
    });
  });
}
