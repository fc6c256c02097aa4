import { stripVTControlCharacters } from "node:util";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import type { Tool } from "./part.ts";

const ANSWER_MS_MAX = 30_000;

/** One sentence for each tool that is absent or too old, with how to get it; empty when all is well. */
export async function missingTools(tools: readonly Tool[]): Promise<string[]> {
  const different = new Map(tools.map((tool) => [tool.command, tool]));
  const complaints = await Promise.all([...different.values()].map(complaint));
  return complaints.filter((line) => line !== undefined);
}

async function complaint(tool: Tool): Promise<string | undefined> {
  const { command, version_arguments, version_minimum, install_hint } = tool;
  const wanted = version_minimum.join(".");
  let said: { stdout: string; stderr: string };
  try {
    said = await runProgram(command, version_arguments, { timeout_ms: ANSWER_MS_MAX });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? `${command} is missing: install ${wanted} or later (${install_hint}).`
      : `${command} does not run (${(error as Error).message.split("\n")[0]}): install it anew (${install_hint}).`;
  }
  const text = stripVTControlCharacters(said.stdout + said.stderr);
  const [found, major, minor = "0"] = /(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  if (found === undefined) return undefined; // it runs; what it says of itself is its own affair
  const [major_minimum, minor_minimum] = version_minimum;
  const old =
    Number(major) < major_minimum || (Number(major) === major_minimum && Number(minor) < minor_minimum);
  return old ? `${command} is ${found}: install ${wanted} or later (${install_hint}).` : undefined;
}
