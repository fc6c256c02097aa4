import {
  type AnswerCursor,
  answerLines,
  endsFence,
  fenceOpenedBy,
  malformed,
} from "#lib/code/edits/answer-lines.ts";
import {
  brokenOpening,
  isClosing,
  type LastBlock,
  openingOf,
  readBlock,
} from "#lib/code/edits/read-blocks.ts";
import { looksLikeHunk, readDiff } from "#lib/code/edits/read-diff.ts";
import { beginsDiff } from "#lib/code/edits/read-diff-header.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";

const ANSWER_CHARACTERS_MAX = 4 * 1024 * 1024;
const REASONING = /^ {0,3}<(think|thinking|thought|reasoning)>/;
const REASONING_END = /^ {0,3}<\/(?:think|thinking|thought|reasoning)>/;

/** What was read of an answer so far. */
interface Reading {
  cursor: AnswerCursor;
  edits: AnsweredEdit[];
  last_block: LastBlock | undefined;
  /** A reasoning block was begun and never ended. */
  reasons_on: boolean;
}

/**
 * Reads the edits out of a model's answer in words: blocks of the text form (docs/reference/edits.md) and
 * unified diffs, with prose, fences and reasoning around them. What is meant as an edit and cannot be read
 * stands in the list too, as `unreadable`, so that nothing of the answer is lost. An edit that is there twice,
 * word for word, counts once: models repeat their drafts.
 *
 * @returns the edits in the order of the answer; exactly one `unreadable` with the code `EDITS_MISSING` when
 * there is none
 */
export function readEdits(answer: string): AnsweredEdit[] {
  if (answer.length > ANSWER_CHARACTERS_MAX) {
    const message = `The answer has more than ${ANSWER_CHARACTERS_MAX} characters. Send fewer edits at once.`;
    return [{ kind: "unreadable", code: "EDIT_TOO_LARGE", message }];
  }
  const cursor: AnswerCursor = { lines: answerLines(answer), index: 0, fence: undefined };
  const reading: Reading = { cursor, edits: [], last_block: undefined, reasons_on: false };
  while (cursor.index < cursor.lines.length) readLine(reading);
  if (reading.edits.length > 0) return withoutRepeats(reading.edits);
  const because = reading.reasons_on
    ? "Its reasoning has no end, so nothing after it counts."
    : "It is only prose.";
  const message = `The answer has no edit. ${answer.trim() === "" ? "It is empty." : because} Write each edit in the form that was asked for.`;
  return [{ kind: "unreadable", code: "EDITS_MISSING", message }];
}

/** Takes what begins at the cursor's line, or only that line. */
function readLine(reading: Reading): void {
  const { cursor, edits } = reading;
  const line = cursor.lines[cursor.index] ?? "";
  const opening = openingOf(line);
  if (opening === "broken") {
    edits.push(brokenOpening(cursor));
    cursor.index += 1;
  } else if (opening !== undefined) {
    const edit = readBlock(cursor, opening, reading.last_block);
    edits.push(edit);
    reading.last_block = edit.path === undefined ? undefined : { path: edit.path, end: cursor.index };
  } else if (isClosing(line)) {
    refuseStrayEnd(reading);
  } else if (REASONING.test(line) && cursor.fence === undefined) {
    skipReasoning(reading);
  } else if (REASONING_END.test(line)) {
    endReasoning(reading);
  } else if (/^\*\*\* (?:Begin Patch|(?:Update|Add|Delete) File: )/.test(line)) {
    refuseOtherPatch(reading);
  } else if (beginsDiff(cursor) || looksLikeHunk(cursor)) {
    edits.push(...readDiff(cursor));
    reading.last_block = undefined;
  } else {
    readFence(cursor, line);
    cursor.index += 1;
  }
}

function readFence(cursor: AnswerCursor, line: string): void {
  if (cursor.fence === undefined) cursor.fence = fenceOpenedBy(line);
  else if (endsFence(line.trimStart(), cursor.fence)) cursor.fence = undefined;
}

/** An end without a beginning: the block before it ended too early, at a line that was meant as its content. */
function refuseStrayEnd({ cursor, edits, last_block }: Reading): void {
  const message = `Line ${cursor.index + 1} of the answer ends an edit where none is open. Where a file itself has such a line, write the markers of the edit longer.`;
  if (last_block !== undefined) edits.pop();
  edits.push(malformed(message, last_block?.path));
  cursor.index = cursor.lines.length;
}

function skipReasoning(reading: Reading): void {
  const { cursor, edits } = reading;
  const from = cursor.index + 1;
  const name = REASONING.exec(cursor.lines[cursor.index] ?? "")?.[1] ?? "";
  const end = `</${name}>`;
  while (cursor.index < cursor.lines.length && !cursor.lines[cursor.index]?.includes(end)) cursor.index += 1;
  reading.reasons_on = cursor.index === cursor.lines.length;
  reading.last_block = undefined;
  cursor.index += 1;
  if (reading.reasons_on && edits.length > 0) {
    edits.push(
      malformed(`The reasoning at line ${from} of the answer has no end, so nothing after it was taken.`),
    );
  }
}

/** Some models are made to begin within their reasoning: all of it until its end was a draft. */
function endReasoning(reading: Reading): void {
  const { cursor, edits } = reading;
  reading.last_block = undefined;
  if (cursor.fence === undefined) {
    edits.length = 0;
    cursor.index += 1;
    return;
  }
  const message = `At line ${cursor.index + 1} of the answer a reasoning ends within a fence, so it is unclear what was a draft. Nothing was taken; send the edits alone.`;
  edits.splice(0, edits.length, malformed(message));
  cursor.index = cursor.lines.length;
}

/** The form of `apply_patch` is not read: its context may begin anywhere and its hunks have no places. */
function refuseOtherPatch({ cursor, edits }: Reading): void {
  const from = cursor.index + 1;
  while (cursor.index < cursor.lines.length) {
    const line = cursor.lines[cursor.index] ?? "";
    if (/^\*\*\* End Patch/.test(line) || (cursor.fence && endsFence(line, cursor.fence))) break;
    cursor.index += 1;
  }
  if (/^\*\*\* End Patch/.test(cursor.lines[cursor.index] ?? "")) cursor.index += 1;
  edits.push(
    malformed(
      `A patch of the form \`*** Begin Patch\` is at line ${from} of the answer; that form is not read. Write each edit in the form that was asked for.`,
    ),
  );
}

/** A replacement that is there before, and any other edit that is the same as the last one of its file, are left out. */
function withoutRepeats(edits: readonly AnsweredEdit[]): AnsweredEdit[] {
  const replacements = new Set<string>();
  const last_of_path = new Map<string, string>();
  return edits.filter((edit) => {
    if (edit.kind === "unreadable") return true;
    const key = JSON.stringify(edit);
    const is_repeated = replacements.has(key) || last_of_path.get(edit.path) === key;
    if (edit.kind === "replace") replacements.add(key);
    last_of_path.set(edit.path, key);
    return !is_repeated;
  });
}
