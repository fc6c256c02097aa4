import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import type { DataDirectory } from "../data-directory.ts";
import { SMALL_HEAP } from "../small-heap.ts";
import { stackLog } from "../stack-log.ts";
import type { Emulators } from "./start-emulators.ts";

/** What the process says once: where its emulators listen, or why there are none. */
export type EmulatorMessage =
  | { type: "ready"; sqs_and_s3_url: string; dynamodb_url: string }
  | { type: "failed"; message: string };

const CLOSE_MS_MAX = 10_000;

/**
 * Starts the emulators in a process of their own. The process that runs handlers, and from which submitted
 * commands are started, then has no file of the database open: LevelDB opens its files without O_CLOEXEC,
 * so every child would inherit them. The process ends with this one, however this one ends; when it ends
 * by itself the stack ends, because nothing works without it.
 *
 * @throws Error with what the emulators said when they do not start
 */
export async function startEmulatorProcess(data: DataDirectory, http_port: number): Promise<Emulators> {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawnProgram(process.execPath, [SMALL_HEAP, main, data.path, String(http_port)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const started = new AbortController();
  const [message] = (await Promise.race([
    once(child, "message", { signal: started.signal }),
    once(child, "exit", { signal: started.signal }).then(([code, signal]) => [
      {
        type: "failed",
        message: `The emulators ended before they were ready (${signal ?? `exit ${code}`}).`,
      },
    ]),
  ])) as [EmulatorMessage];
  started.abort();
  if (message.type === "failed") throw new Error(message.message);
  let closing = false;
  child.once("exit", (code, signal) => {
    if (closing) return;
    const how = signal ?? `exit ${code}`;
    stackLog().error("EMULATORS_ENDED", `The process of the emulators ended (${how}); the stack ends too.`);
    process.exit(1);
  });
  return {
    sqs_and_s3_url: message.sqs_and_s3_url,
    dynamodb_url: message.dynamodb_url,
    async close() {
      closing = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.send("close");
      const late = setTimeout(() => child.kill("SIGKILL"), CLOSE_MS_MAX);
      await exited;
      clearTimeout(late);
    },
  };
}
