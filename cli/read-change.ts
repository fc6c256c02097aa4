import { readFileSync } from "node:fs";
import type { SubmittedChange } from "#schemas/messages/submission.ts";
import { UsageError } from "./cli-error.ts";

export interface ChangeOptions {
  patch?: string;
  fallbackPatch?: string[];
  codemod?: string;
  prompt?: string;
}

function readText(option: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
  if (text.trim() === "") throw new UsageError(`${option}: ${file} is empty.`);
  return text;
}

/** The change that the options name; undefined when they name none. @throws UsageError when they name two */
export function readChange(options: ChangeOptions): SubmittedChange | undefined {
  const { patch, fallbackPatch = [], codemod, prompt } = options;
  if ([patch, codemod, prompt].filter((option) => option !== undefined).length > 1) {
    throw new UsageError("Give one of --patch, --codemod and --prompt.");
  }
  if (patch === undefined && fallbackPatch.length > 0) {
    throw new UsageError("--fallback-patch needs a --patch before it.");
  }
  if (patch !== undefined) {
    const diff = readText("--patch", patch);
    const fallback_diffs = fallbackPatch.map((file) => readText("--fallback-patch", file));
    return { kind: "patch", diff, ...(fallback_diffs.length > 0 ? { fallback_diffs } : {}) };
  }
  if (codemod !== undefined) return { kind: "codemod", rules: readText("--codemod", codemod) };
  return prompt === undefined ? undefined : { kind: "prompt", text: prompt };
}
