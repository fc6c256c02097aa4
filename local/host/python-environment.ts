import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { findPython } from "./find-python.ts";

const LOCK_FILE = fileURLToPath(new URL("python/requirements.txt", import.meta.url));
const OUTPUT_CHARACTERS_MAX = 2_000;

/** A script of `local/host/python/`. */
export function pythonScript(name: string): string {
  return fileURLToPath(new URL(`python/${name}`, import.meta.url));
}

/**
 * The Python of a virtual environment with exactly the packages of `python/requirements.txt`, each
 * checked against its hash. Made once for each version of that file and of Python.
 */
export async function pythonEnvironment(progress: (line: string) => void): Promise<string> {
  const python = await findPython();
  const lock = readFileSync(LOCK_FILE, "utf8");
  const key = createHash("sha256").update(`${python.version}\n${lock}`).digest("hex").slice(0, 16);
  const directory = join(cacheDirectory("python"), key);
  const installed = join(directory, "bin", "python");
  if (existsSync(installed)) return installed;
  progress(`installing its Python packages (about a minute, once) into ${directory}`);
  const draft = `${directory}.${process.pid}`;
  try {
    await run(python.command, ["-m", "venv", draft]);
    const pip = (file: string) =>
      run(join(draft, "bin", "python"), [
        ...["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"],
        ...["--no-deps", "--no-build-isolation", "--require-hashes", "--requirement", file],
      ]);
    const first = join(draft, "setuptools.txt");
    writeFileSync(first, pinned(lock, "setuptools"));
    await pip(first);
    await pip(LOCK_FILE);
    publish(draft, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return installed;
}

/** What is complete appears at once; whoever was there first stays. */
function publish(draft: string, directory: string): void {
  try {
    renameSync(draft, directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** The lines of one package: it is needed to build others, so it must be there before them. */
function pinned(lock: string, name: string): string {
  const lines = lock.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`${name}==`));
  const end = lines.findIndex((line, index) => index > start && !line.endsWith("\\"));
  if (start < 0) throw new Error(`${LOCK_FILE} pins no ${name}.`);
  return `${lines.slice(start, end + 1).join("\n")}\n`;
}

async function run(command: string, arguments_: string[]): Promise<void> {
  const child = spawnProgram(command, arguments_, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      said = (said + chunk).slice(-OUTPUT_CHARACTERS_MAX);
    });
  }
  const [code] = await once(child, "close");
  if (code !== 0) {
    throw new Error(
      `${command} ${arguments_.slice(0, 3).join(" ")} failed (exit ${code}): ${said.trim() || "it said nothing"}`,
    );
  }
}
