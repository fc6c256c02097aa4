import { execFile } from "node:child_process";
import { promisify } from "node:util";

const LOAD_MS_MAX = 60_000;

const PROGRAM = `
const [, file, name] = process.argv;
const module = await import(file);
if (typeof module[name] !== "function") throw new Error("exports no function " + name);
process.exit(0);
`;

/**
 * Loads a bundle in a fresh Node without any environment, as Lambda's initialisation would, and
 * looks for the function it has to export. Throws with what Node said when it does not load.
 */
export async function loadBundle(file: string, exported: string): Promise<void> {
  const given = ["--input-type=module", "-e", PROGRAM, file, exported];
  await promisify(execFile)(process.execPath, given, { env: {}, timeout: LOAD_MS_MAX }).catch(
    (error: { stderr?: string; message: string }) => {
      throw new Error(`${file} does not load:\n${error.stderr || error.message}`);
    },
  );
}
