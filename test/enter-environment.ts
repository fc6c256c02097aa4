import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const Facts = z.record(z.string(), z.string());

/**
 * Leads this process to where the messages are: the local stack of `data_dir`, else the variables
 * that are set, else the local stack of this repository. Answers with a name for it.
 *
 * @throws Error when there is none
 */
export function enterEnvironment(data_dir: string | undefined): string {
  if (data_dir === undefined && process.env.TABLE_NAME) return `table ${process.env.TABLE_NAME}`;
  const directory = data_dir ?? join(REPOSITORY, ".local");
  const file = join(directory, "environment.json");
  if (!existsSync(file)) {
    throw new Error(
      `${file} is not there. Start the local stack, give its --data-dir, or set TABLE_NAME, QUEUE_URL_* and DLQ_URL_* for AWS.`,
    );
  }
  const raw = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  const facts = Facts.parse(
    Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, String(value)])),
  );
  for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN"]) delete process.env[name];
  Object.assign(process.env, { CONFIG_DIRECTORY: join(REPOSITORY, "configs"), ...facts });
  return `the local stack of ${directory}`;
}
