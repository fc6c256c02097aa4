import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";

export interface Python {
  command: string;
  /** Such as `3.13`. */
  version: string;
}

const PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])";
const ANSWER_MS_MAX = 30_000;

/**
 * The first Python 3 of `minor_min` or later that can make virtual environments: HOST_PYTHON, those on the path,
 * then those that pyenv keeps.
 *
 * @throws saying what was found instead and how to get one
 */
export async function findPython(
  minor_min: number,
  environment: Record<string, string | undefined> = process.env,
): Promise<Python> {
  const found: string[] = [];
  for (const command of candidates(environment)) {
    const version = await versionOf(command, environment);
    if (version === undefined) continue;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major === 3 && minor >= minor_min) return { command, version };
    found.push(`${command} is ${version}`);
  }
  throw new Error(
    `Python 3.${minor_min} or later with venv is missing (${found.join(", ") || "there is no python3"}): ` +
      "install it (apt-get install python3 python3-venv, or pyenv install 3.13), or name one in HOST_PYTHON.",
  );
}

function candidates({ HOST_PYTHON, PYENV_ROOT, HOME }: Record<string, string | undefined>): string[] {
  if (HOST_PYTHON) return [HOST_PYTHON];
  const versions = join(PYENV_ROOT || join(HOME || homedir(), ".pyenv"), "versions");
  const kept = existsSync(versions) ? readdirSync(versions).sort().reverse() : [];
  return [
    "python3",
    "python3.13",
    "python3.12",
    "python3.11",
    ...kept.map((version) => join(versions, version, "bin", "python3")),
  ];
}

async function versionOf(
  command: string,
  environment: Record<string, string | undefined>,
): Promise<string | undefined> {
  try {
    const options = { timeout_ms: ANSWER_MS_MAX, env: environment as NodeJS.ProcessEnv };
    const { stdout } = await runProgram(command, ["-c", PROBE], options);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
