import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import type { SubmittedChange, SubmittedDiff } from "#schemas/messages/submission.ts";
import { UsageError } from "./cli-error.ts";

export interface ChangeOptions {
  patch?: string;
  fallbackPatch?: string[];
  strip?: number;
  directory?: string;
  codemod?: string;
  prompt?: string;
  agent?: string;
}

function readBytes(option: string, file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? `there is no file ${file}` : message;
    throw new UsageError(`${option}: ${reason}. Give a file that can be read.`);
  }
  if (bytes.toString("latin1").trim() === "") throw new UsageError(`${option}: ${file} is empty.`);
  return bytes;
}

/** JSON carries text only, so bytes that are none travel in base 64. */
function readDiff(option: string, file: string): SubmittedDiff {
  const bytes = readBytes(option, file);
  return isUtf8(bytes) ? bytes.toString("utf8") : { base64: bytes.toString("base64") };
}

/** The change that the options name; undefined when they name none. @throws UsageError when they name two */
export function readChange(options: ChangeOptions): SubmittedChange | undefined {
  const { patch, fallbackPatch = [], strip, directory, codemod, prompt, agent } = options;
  if ([patch, codemod, prompt].filter((option) => option !== undefined).length > 1) {
    throw new UsageError("Give one of --patch, --codemod and --prompt.");
  }
  if (patch === undefined && fallbackPatch.length > 0) {
    throw new UsageError("--fallback-patch needs a --patch before it.");
  }
  if (patch === undefined && (strip !== undefined || directory !== undefined)) {
    throw new UsageError("--strip and --directory say how to read a --patch; give one.");
  }
  if (agent !== undefined && prompt === undefined) {
    throw new UsageError("--agent says who makes the change of a --prompt; give one.");
  }
  if (patch !== undefined) {
    const diff = readDiff("--patch", patch);
    const fallback_diffs = fallbackPatch.map((file) => readDiff("--fallback-patch", file));
    return {
      kind: "patch",
      diff,
      ...(strip !== undefined && { strip }),
      ...(directory !== undefined && { directory }),
      ...(fallback_diffs.length > 0 && { fallback_diffs }),
    };
  }
  if (codemod !== undefined) {
    return { kind: "codemod", rules: readBytes("--codemod", codemod).toString("utf8") };
  }
  if (prompt === undefined) return undefined;
  return { kind: "prompt", text: prompt, ...(agent !== undefined && { agent }) };
}
