import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TaskList } from "#schemas/http/task-view.ts";
import { type Api, connect } from "../cli/api.ts";
import { patiently } from "../cli/patiently.ts";
import { formatDuration } from "../cli/render/format.ts";
import { readCredentials } from "../cli/settings.ts";
import type { Terminal } from "../cli/terminal.ts";

/** A stack of a script's own, with its own data. */
export interface OwnStack {
  api: Api;
  url: string;
  data_dir: string;
  stop(): Promise<void>;
}

interface StartedStack {
  url: string;
  data_dir: string;
  pid: number;
  stop(): Promise<void>;
  kill(): void;
}

type StartStack = (options: { port?: number; data_dir: string }) => Promise<StartedStack>;

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const READY_MS_MAX = 120_000;

/** The port if it is free on loopback, else one that is. 0 asks for any. */
export function freePort(wished: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && wished !== 0) resolve(freePort(0));
      else reject(error);
    });
    server.listen(wished, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : wished));
    });
  });
}

/** Whether the API answers with these credentials. */
export async function answers(api: Api): Promise<boolean> {
  try {
    await api.get(TaskList, "/api/tasks?limit=1", { timeout_ms: 5_000 });
    return true;
  } catch {
    return false;
  }
}

/** Whether the stack that used this data directory last is still up. */
async function isRunning(data_dir: string): Promise<boolean> {
  try {
    return await answers(connect(readCredentials(join(data_dir, "credentials.json"))));
  } catch {
    return false;
  }
}

/**
 * Start a stack with empty data under `.local/<name>` and wait until it answers.
 * @throws Error when the last one of that name still runs, or it is not ready within two minutes
 */
export async function startOwnStack(name: string, port: number, terminal: Terminal): Promise<OwnStack> {
  const data_dir = join(REPOSITORY, ".local", name);
  if (await isRunning(data_dir)) {
    throw new Error(`One is running already on ${data_dir}. Stop it first (Ctrl-C where it was started).`);
  }
  await rm(data_dir, { recursive: true, force: true });
  const began_at = Date.now();
  if (!terminal.interactive) terminal.lines("Starting the stack …");
  const progress = setInterval(
    () => terminal.live(`Starting the stack … ${formatDuration(Date.now() - began_at)}`),
    200,
  );
  try {
    const module_url = new URL("../local/stack.ts", import.meta.url).href;
    const { startStack } = (await import(module_url)) as { startStack: StartStack };
    const stack = await startStack({ port, data_dir });
    try {
      const api = connect(readCredentials(join(stack.data_dir, "credentials.json")));
      const patience = { outage_ms_max: READY_MS_MAX, pause_ms: 200 };
      await patiently(() => api.get(TaskList, "/api/tasks?limit=1", { timeout_ms: 5_000 }), patience);
      terminal.lines(`Stack ready at ${stack.url} in ${formatDuration(Date.now() - began_at)}`);
      return { api, url: stack.url, data_dir, stop: () => stack.stop() };
    } catch (error) {
      await stack.stop();
      throw error;
    }
  } finally {
    clearInterval(progress);
    terminal.live();
  }
}
