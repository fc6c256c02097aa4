import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";

/** Directories of the sandbox's PATH: that of the worker's Node.js, those of the profile, and npm's if it is in none. */
export async function toolPath(profile_path: string | undefined): Promise<string[]> {
  const directories = [dirname(process.execPath), ...(profile_path ?? "/usr/bin:/bin").split(delimiter)];
  if (!directories.some((directory) => existsSync(join(directory, "npm")))) {
    npm_directory ??= findNpm();
    directories.push(...(await npm_directory));
  }
  return [...new Set(directories.filter((directory) => directory.startsWith("/")))];
}

let npm_directory: Promise<string[]> | undefined;

/** A version manager may keep npm in another Node.js installation than the worker's: the shell knows where. */
async function findNpm(): Promise<string[]> {
  try {
    const { stdout } = await runProgram("/bin/sh", ["-c", "command -v npm"], { timeout_ms: 5000 });
    const found = stdout.trim();
    return found.startsWith("/") ? [dirname(found)] : [];
  } catch {
    return [];
  }
}
