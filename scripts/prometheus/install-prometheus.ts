import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import { programFile } from "#test/tools.ts";
import { cacheDirectory } from "../../local/host/cache-directory.ts";

const MINUTES_MAX = 5;

/**
 * The directory with `prometheus` and `promtool`; undefined when they are on the PATH. Unpacks the Debian package into the user's
 * cache, once; apt verifies what it downloads, and nothing of the system is changed.
 *
 * @throws Error when there is no apt-get or dpkg, or the package cannot be downloaded
 */
export async function installPrometheus(): Promise<string | undefined> {
  if (programFile("prometheus") && programFile("promtool")) return undefined;
  const cache = cacheDirectory("prometheus");
  const installed = join(cache, "package");
  const programs = join(installed, "usr", "bin");
  if (existsSync(join(programs, "promtool"))) return programs;
  const fresh = mkdtempSync(join(cache, "fresh-"));
  try {
    await download(fresh);
    const [file] = readdirSync(fresh).filter((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get download left no package");
    const unpacked = join(fresh, "package");
    await run("dpkg", ["-x", join(fresh, file), unpacked], fresh);
    rmSync(installed, { recursive: true, force: true });
    renameSync(unpacked, installed);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return programs;
}

async function download(directory: string): Promise<void> {
  const get = () => run("apt-get", ["-q", "download", "prometheus"], directory);
  await get().catch(async () => {
    await run("apt-get", ["-q", "update"], directory); // a fresh machine has no list of packages
    await get();
  });
}

async function run(program: string, words: readonly string[], cwd: string): Promise<void> {
  await runProgram(program, [...words], { cwd, timeout_ms: MINUTES_MAX * 60_000 }).catch((error: Error) => {
    throw new Error(`cannot install Prometheus: ${program} ${words.join(" ")}: ${error.message}`, {
      cause: error,
    });
  });
}
