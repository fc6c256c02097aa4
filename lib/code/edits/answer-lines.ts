import type { UnreadableEdit } from "#schemas/edits.ts";

/** A model's answer while it is read; the readers move `index` past what they take. */
export interface AnswerCursor {
  /** Without line ends. */
  readonly lines: readonly string[];
  index: number;
  /** The fence that the cursor is in, as its opening has it. */
  fence: Fence | undefined;
}

export interface Fence {
  character: string;
  length: number;
  /** Language or file name behind the opening, in lower case. */
  info: string;
}

const FENCE_LENGTH_MIN = 3;

/** The lines of an answer. A `\r` is part of the line end where every line has one. */
export function answerLines(answer: string): string[] {
  const lines = answer.split("\n");
  const is_crlf = lines.length > 1 && lines.slice(0, -1).every((line) => line.endsWith("\r"));
  return is_crlf ? lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line)) : lines;
}

/** What a line opens as a fence of Markdown (CommonMark 0.31, section 4.5), or undefined. */
export function fenceOpenedBy(line: string): Fence | undefined {
  const text = line.trim();
  const character = text.charAt(0);
  if ((character !== "`" && character !== "~") || !/^ {0,3}[`~]/.test(line)) return undefined;
  const length = countLeading(text, character);
  const info = text.slice(length);
  if (length < FENCE_LENGTH_MIN || (character === "`" && info.includes("`"))) return undefined;
  return { character, length, info: info.trim().toLowerCase() };
}

/** How often a text begins with a character. */
export function countLeading(text: string, character: string): number {
  let count = 0;
  while (count < text.length && text[count] === character) count++;
  return count;
}

/** Whether a line ends a fence. Within a diff a line with a blank before it is a line of context. */
export function endsFence(line: string, { character, length }: Fence): boolean {
  const mark = line.trimEnd();
  return mark.length >= length && countLeading(mark, character) === mark.length;
}

export function malformed(message: string, path?: string): UnreadableEdit {
  return { kind: "unreadable", ...(path === undefined ? {} : { path }), code: "EDIT_MALFORMED", message };
}
