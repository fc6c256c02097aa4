import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory } from "../../local/host/cache-directory.ts";

const INSTALL_MS_MAX = 300_000;
const MINOR_MIN = 11;
const COMPLETE = "complete";
const GET_PYTHON = `Install Python 3.${MINOR_MIN} or later with venv: apt-get install python3 python3-venv`;

/**
 * The `bin` folder of a Python environment with exactly the packages of a requirements file, each checked
 * against its hash. Made once in the user's cache for each content of that file and each Python. Throws
 * with a sentence when there is no Python to make it with, or a package cannot be had.
 */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const version = await pythonVersion();
  const content = createHash("sha256").update(version).update(readFileSync(requirements)).digest("hex");
  const kept = join(cacheDirectory("python"), `${name}-${content.slice(0, 16)}`);
  const bin = join(kept, "bin");
  if (existsSync(join(kept, COMPLETE))) return bin;
  rmSync(kept, { recursive: true, force: true });
  await must("python3", ["-m", "venv", kept], GET_PYTHON);
  const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
  const exactly = ["--require-hashes", "--requirement", requirements];
  await must(join(bin, "python3"), [...pip, ...exactly], "Is the package index reachable?");
  // Scripts name the folder they were made in, so it is not moved: this file says that nothing is missing.
  writeFileSync(join(kept, COMPLETE), "");
  return bin;
}

async function pythonVersion(): Promise<string> {
  const program = "import sys; print('%d.%d' % sys.version_info[:2])";
  const version = (await must("python3", ["-c", program], GET_PYTHON)).trim();
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 3 && minor >= MINOR_MIN) return version;
  throw new Error(`python3 is ${version}. ${GET_PYTHON}`);
}

async function must(program: string, given: string[], advice: string): Promise<string> {
  try {
    return (await promisify(execFile)(program, given, { timeout: INSTALL_MS_MAX })).stdout;
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: string; message: string };
    throw new Error(`${program} ${given.slice(0, 3).join(" ")} failed. ${advice}\n${stderr || message}`, {
      cause,
    });
  }
}
