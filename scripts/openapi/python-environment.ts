import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const INSTALL_MS_MAX = 300_000;
const OLDEST = [3, 11] as const;

/**
 * The `bin` folder of a Python environment with exactly the packages of a requirements file, hashes and
 * all. It is made once and kept in the user's cache, by the file's content. Throws with a sentence when
 * there is no Python to make it with, or a package cannot be had.
 */
export async function pythonEnvironment(requirements: string): Promise<string> {
  const version = await pythonVersion();
  const name = createHash("sha256").update(version).update(readFileSync(requirements)).digest("hex");
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "distributed-agents");
  const home = join(cache, `schemathesis-${name.slice(0, 16)}`);
  const done = join(home, "complete");
  if (existsSync(done)) return join(home, "bin");
  rmSync(home, { recursive: true, force: true });
  await must("python3", ["-m", "venv", home], "Install Python's venv: apt-get install python3-venv");
  const packages = [
    "--quiet",
    "--disable-pip-version-check",
    "--require-hashes",
    "--requirement",
    requirements,
  ];
  const hint = "Is the package index reachable?";
  await must(join(home, "bin/python3"), ["-m", "pip", "install", ...packages], hint);
  await must(join(home, "bin/st"), ["--version"], hint);
  writeFileSync(done, "");
  return join(home, "bin");
}

async function pythonVersion(): Promise<string> {
  const hint = `Install Python ${OLDEST.join(".")} or later: apt-get install python3 python3-venv`;
  const program = "import sys; print('%d.%d' % sys.version_info[:2])";
  const version = (await must("python3", ["-c", program], hint)).trim();
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return version;
  throw new Error(`python3 is ${version}. ${hint}`);
}

async function must(program: string, given: string[], hint: string): Promise<string> {
  try {
    return (await run(program, given, { timeout: INSTALL_MS_MAX, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`${program} ${given.slice(0, 3).join(" ")} failed. ${hint}\n${stderr || message}`);
  }
}
