import { FLAG_REASONS, flagsBut } from "#lib/code/flags/flag-of.ts";
import type { FlagClass } from "#schemas/flags.ts";

interface PromptParts {
  words: string;
  /** Of a repair round; undefined in the first. */
  evidence: string | undefined;
  /** Of a round whose predecessor's change was refused. */
  refusal: string | undefined;
  test: string | undefined;
  protected_files: readonly string[];
  flagged_files_allowed: readonly FlagClass[];
}

/** What a coding agent is told: the task's words, what was tried, and what becomes of its change. */
export function agentPrompt(parts: PromptParts): string {
  const { words, evidence, refusal, test, protected_files } = parts;
  const refused = flagsBut(parts.flagged_files_allowed).map((flag) => FLAG_REASONS[flag]);
  return [
    words.trim(),
    "",
    ...(evidence === undefined ? [] : ["# What was tried", "", evidence.trim(), ""]),
    ...(refusal === undefined ? [] : ["# What was refused", "", refusal.trim(), ""]),
    "# What becomes of your work",
    "",
    "You work in a copy of the repository, the current directory. When you end with exit code 0, the difference that you leave in its files is taken as the change; commits are not looked at. Ask nothing: nobody answers.",
    ...(test === undefined ? [] : [`The change is then tested with: ${test}`]),
    "The whole change is refused when it changes one of these files:",
    "- any outside of the current directory, or below .git",
    ...protected_files.map((glob) => `- ${glob}`),
    ...(refused.length > 0 ? [`- a file of which one of these is true: ${refused.join("; ")}`] : []),
    "",
  ].join("\n");
}

/** Linux takes 128 KiB for one argument or variable: execve(2). */
const VARIABLE_BYTES_MAX = 100_000;

/** The prompt as a variable of the environment holds it. The file has all of it. */
export function promptVariable(prompt: string): string {
  const bytes = Buffer.from(prompt.replaceAll("\0", ""));
  if (bytes.length <= VARIABLE_BYTES_MAX) return bytes.toString("utf8");
  const cut = bytes
    .subarray(0, VARIABLE_BYTES_MAX)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return `${cut}\n… The rest is in the file that AGENT_PROMPT_FILE names.`;
}
