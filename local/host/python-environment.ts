import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { findPython } from "./find-python.ts";

const INSTALL_MS_MAX = 600_000;

interface Wanted {
  /** As in `cfn-lint`: of the folder in the user's cache. */
  name: string;
  /** A requirements file that pins every package with its hashes, those that others need too. */
  requirements: string;
  /** The oldest Python that will do, as in 12 for 3.12. */
  minor_min: number;
  /** Told before what takes its time. */
  progress?: (line: string) => void;
}

/**
 * The `bin` folder of a virtual environment with exactly the packages of a requirements file, each checked against
 * its hash. Made once in the user's cache for each content of that file and each version of Python.
 *
 * @throws saying that there is no Python to make it with, or what pip said
 */
export async function pythonEnvironment({
  name,
  requirements,
  minor_min,
  progress,
}: Wanted): Promise<string> {
  const python = await findPython(minor_min);
  const lock = readFileSync(requirements, "utf8");
  const key = createHash("sha256").update(`${python.version}\n${lock}`).digest("hex").slice(0, 16);
  const directory = join(cacheDirectory("python"), `${name}-${key}`);
  const bin = join(directory, "bin");
  if (existsSync(bin)) return bin;
  progress?.(`installing its Python packages (about a minute, once) into ${directory}`);
  // Its scripts name the folder that they were made in, so it stays where it is: a link to it appears when it is whole.
  const made = `${directory}.${process.pid}`;
  for (const left of [directory, made]) rmSync(left, { recursive: true, force: true });
  try {
    await run(python.command, ["-m", "venv", made]);
    const pip = (file: string, ...more: string[]) =>
      run(join(made, "bin", "python"), [
        ...["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"],
        ...["--no-deps", "--require-hashes", "--requirement", file, ...more],
      ]);
    const builder = linesOf("setuptools", lock);
    if (builder) {
      const first = join(made, "setuptools.txt");
      writeFileSync(first, builder);
      await pip(first);
    }
    await pip(requirements, ...(builder ? ["--no-build-isolation"] : []));
    symlinkSync(basename(made), directory);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    // Another process was there first, and its environment stays.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return bin;
}

/** A package's lines of a lock; undefined when it pins none. What others are built with must be there before them. */
function linesOf(name: string, lock: string): string | undefined {
  const lines = lock.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`${name}==`));
  const end = lines.findIndex((line, index) => index > start && !line.endsWith("\\"));
  return start < 0 ? undefined : `${lines.slice(start, end + 1).join("\n")}\n`;
}

async function run(command: string, args: string[]): Promise<void> {
  try {
    await runProgram(command, args, { timeout_ms: INSTALL_MS_MAX });
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`${args.slice(0, 3).join(" ")}: ${message}`, { cause });
  }
}
