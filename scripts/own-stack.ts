import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TaskList } from "#schemas/http/task-view.ts";
import { type Api, connect } from "../cli/api.ts";
import { patiently } from "../cli/patiently.ts";
import { formatDuration } from "../cli/render/format.ts";
import { readCredentials } from "../cli/settings.ts";
import type { Terminal } from "../cli/terminal.ts";
import { startStack } from "../local/stack.ts";

/** A stack of a script's own, with its own data. */
export interface OwnStack {
  api: Api;
  url: string;
  /** File with its URL and key. */
  credentials: string;
  stop(): Promise<void>;
}

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const READY_MS_MAX = 120_000;

/** Whether the API answers with these credentials. */
export async function answers(api: Api): Promise<boolean> {
  try {
    await api.get(TaskList, "/api/tasks?limit=1", { timeout_ms: 5_000 });
    return true;
  } catch {
    return false;
  }
}

/** Whether the stack that wrote these credentials is still up. */
async function isRunning(credentials: string): Promise<boolean> {
  try {
    return await answers(connect(readCredentials(credentials)));
  } catch {
    return false;
  }
}

/**
 * Start a stack with empty data under `.local/<name>` and wait until it answers.
 * @throws Error when the last one of that name still runs, or it is not ready within two minutes
 */
export async function startOwnStack(
  name: string,
  port: number,
  terminal: Terminal,
  env: Record<string, string> = {},
): Promise<OwnStack> {
  const data_dir = join(REPOSITORY, ".local", name);
  const credentials = join(data_dir, "credentials.json");
  if (await isRunning(credentials)) {
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
    const stack = await startStack({ port, data_dir, env });
    try {
      const api = connect(readCredentials(credentials));
      const patience = { outage_ms_max: READY_MS_MAX, pause_ms: 200 };
      await patiently(() => api.get(TaskList, "/api/tasks?limit=1", { timeout_ms: 5_000 }), patience);
      terminal.lines(`Stack ready at ${stack.url} in ${formatDuration(Date.now() - began_at)}`);
      return { api, url: stack.url, credentials, stop: () => stack.stop() };
    } catch (error) {
      await stack.stop();
      throw error;
    }
  } finally {
    clearInterval(progress);
    terminal.live();
  }
}
