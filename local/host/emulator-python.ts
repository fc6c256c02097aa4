import { fileURLToPath } from "node:url";
import { findPython } from "./find-python.ts";
import { pythonEnvironment } from "./python-environment.ts";

const MINOR_MIN = 12; // LocalStack 4.14 is written in Python 3.12
const FOLDER = new URL("python/", import.meta.url);

/** A script of `local/host/python/`. */
export function pythonScript(name: string): string {
  return fileURLToPath(new URL(name, FOLDER));
}

/** The Python that has LocalStack and moto, as `local/host/python/requirements.txt` pins them. */
export async function emulatorPython(progress: (line: string) => void = () => {}): Promise<string> {
  const requirements = pythonScript("requirements.txt");
  const bin = await pythonEnvironment({ name: "emulators", requirements, minor_min: MINOR_MIN, progress });
  return `${bin}/python`;
}

/** Why there can be none; empty when there can. */
export async function pythonComplaints(): Promise<string[]> {
  return findPython(MINOR_MIN).then(
    () => [],
    ({ message }) => [message],
  );
}
