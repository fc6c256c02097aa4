import { execFile } from "node:child_process";
import { promisify } from "node:util";

const LINT_MS_MAX = 180_000;
/** A program that was started and found something wrong ends with these: https://github.com/aws-cloudformation/cfn-lint */
const FOUND_CODES_MAX = 14;

/** The errors and warnings of cfn-lint, all its rules on; empty when a template is clean. Throws when it does not run. */
export async function lintFile(cfn_lint: string, file: string): Promise<string> {
  try {
    await promisify(execFile)(cfn_lint, ["--template", file], {
      timeout: LINT_MS_MAX,
      maxBuffer: 16 * 1024 * 1024,
    });
    return "";
  } catch (cause) {
    const { code, stdout = "", message } = cause as { code?: unknown; stdout?: string; message: string };
    const found = typeof code === "number" && code >= 2 && code <= FOUND_CODES_MAX && stdout.trim() !== "";
    if (!found) throw new Error(`cfn-lint does not run: ${message}`, { cause });
    return stdout.trim();
  }
}
