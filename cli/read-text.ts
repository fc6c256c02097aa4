import { readFileSync } from "node:fs";
import { UsageError } from "./cli-error.ts";

/** The text of a file, or of standard input for `-`. Throws UsageError when there is none to read. */
export function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
}
