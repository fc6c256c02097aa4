import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Terminal } from "../cli/terminal.ts";
import { enterLocalEnvironment } from "../local/local-environment.ts";

/** What a command's help says of `--data-dir`, for `enterStage`. */
export const DATA_DIR_HELP = `  --data-dir <path>    of the local stack that is running (LOCAL_DATA_DIR; default .local);
                       without it, and with TABLE_NAME and ARTIFACT_BUCKET in the environment,
                       the table and bucket these name, with your AWS credentials`;

/**
 * Leads this process's AWS clients to a stage: the one that TABLE_NAME and ARTIFACT_BUCKET name, or the local stack that
 * runs on `data_dir`. Returns it in words.
 *
 * @throws Error that says what to give, when there is no such stack
 */
export function enterStage(data_dir: string | undefined): string {
  const { TABLE_NAME, ARTIFACT_BUCKET } = process.env;
  if (data_dir === undefined && TABLE_NAME && ARTIFACT_BUCKET) {
    return `table ${TABLE_NAME} and bucket ${ARTIFACT_BUCKET}`;
  }
  const directory = resolve(data_dir ?? process.env.LOCAL_DATA_DIR ?? ".local");
  const file = join(directory, "environment.json");
  if (!existsSync(file)) {
    throw new Error(
      `There is no local stack in ${directory}. Start it (npm start), give its --data-dir, or set TABLE_NAME and ARTIFACT_BUCKET.`,
    );
  }
  enterLocalEnvironment(JSON.parse(readFileSync(file, "utf8")));
  return `the local stack in ${directory}`;
}

/** Runs a command on a stage. What fails is one sentence on standard error, and exit code 1. */
export async function sayWhatFails(command: () => Promise<void>, terminal: Terminal): Promise<void> {
  try {
    await command();
  } catch (error) {
    terminal.live();
    const refused = (error as { code?: string }).code === "ECONNREFUSED";
    const hint = refused ? " Nothing listens there: is the stack running?" : "";
    console.error(`${(error as Error).message || String(error)}${hint}`);
    process.exitCode = 1;
  }
}
