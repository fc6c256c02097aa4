import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

export const HOST_DIRECTORY = join(".local", "host");
export const HOST_ENVIRONMENT_FILE = "environment.json";

/** The variables that lead to the host mode that runs in this repository; none when it does not run. */
export function hostEnvironment(repository: string): Record<string, string> {
  const file = join(repository, HOST_DIRECTORY, HOST_ENVIRONMENT_FILE);
  return existsSync(file)
    ? z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, "utf8")))
    : {};
}
