import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { definitions } from "#lib/platform/config/config-definitions.ts";
import { parseConfig } from "#lib/platform/config/parse-config.ts";

const SETTING = "CONFIG_SOURCE";

/**
 * Refuses to start with an operator's file that is not valid: a running stack keeps the last good one, but at the
 * start there is none, and every request would fail instead.
 *
 * @throws with a line for each file: its path, where in it the fault is, and what is wrong
 */
export function checkConfigs(environment: Record<string, unknown>, service_directory: string): void {
  if (!(SETTING in environment)) return; // a service that reads no configuration
  const directory = resolve(service_directory, process.env.CONFIG_DIRECTORY ?? "configs");
  if (!existsSync(directory)) {
    throw new Error(
      `There is no directory ${directory} with the configuration (CONFIG_DIRECTORY). Nothing was started.`,
    );
  }
  const services = Object.keys(environment)
    .map((name) => /^QUEUE_URL_(.+)$/.exec(name)?.[1]?.toLowerCase())
    .filter((name) => name !== undefined);
  const faults = Object.values(definitions).flatMap((definition) => {
    const file = join(directory, definition.name);
    if (!existsSync(file)) return [`${file} is missing; configs/ of the release has one.`];
    try {
      parseConfig<never>(definition as never, readFileSync(file), { services });
      return [];
    } catch (error) {
      return [`${file} is not valid: ${(error as Error).message}`];
    }
  });
  if (faults.length > 0) throw new Error([...faults, "Nothing was started. Mend the above."].join("\n"));
}
