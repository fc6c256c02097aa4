import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** `${XDG_CACHE_HOME:-~/.cache}/distributed-agents/<name>`, made if missing: what host mode downloads is kept there. */
export function cacheDirectory(
  name: string,
  environment: Record<string, string | undefined> = process.env,
): string {
  const base = environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), ".cache");
  const directory = join(base, "distributed-agents", name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
