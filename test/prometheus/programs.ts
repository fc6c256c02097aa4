import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs promtool with this input, and answers with what it said. Throws, with what it said, when it finds anything. */
export async function promtool(words: readonly string[], input = ""): Promise<string> {
  const running = promisify(execFile)("promtool", [...words]);
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running.catch(({ stdout: out, stderr: error }) => {
    throw new Error(`promtool ${words.join(" ")} found:\n${out}${error}`);
  });
  return stdout + stderr;
}
