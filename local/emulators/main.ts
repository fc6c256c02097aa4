/**
 * The process of the emulators. Arguments: the data directory and the port of the HTTP API. It tells its
 * starter over the channel of Node.js where they listen, and ends when it is told to or its starter is gone.
 */
import { openDataDirectory } from "../data-directory.ts";
import { stackLog } from "../stack-log.ts";
import type { EmulatorMessage } from "./emulator-process.ts";
import { startEmulators } from "./start-emulators.ts";

const [data_directory = "", http_port = ""] = process.argv.slice(2);
const tell = (message: EmulatorMessage) => void process.send?.(message);

// A terminal sends them to the whole group; the stack still needs its data while it ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
process.once("disconnect", () => process.exit(0));
process.on("uncaughtException", (error) => {
  stackLog().error("STRAY_ERROR", "An error that the emulators did not handle; they go on.", {
    error: error.stack ?? error.message,
  });
});

try {
  const data = openDataDirectory(data_directory, "emulators");
  const emulators = await startEmulators(data, Number(http_port));
  process.on("message", () => {
    void emulators.close().then(() => {
      data.release();
      process.exit(0);
    });
  });
  tell({ type: "ready", sqs_and_s3_url: emulators.sqs_and_s3_url, dynamodb_url: emulators.dynamodb_url });
} catch (error) {
  tell({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.disconnect();
}
