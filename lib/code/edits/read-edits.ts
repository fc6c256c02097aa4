import type { AnsweredEdit } from "#schemas/edits.ts";

/**
 * Reads the edits out of a model's answer in words: blocks of the text form (docs/reference/edits.md) and
 * unified diffs, with prose, fences and reasoning around them. What is meant as an edit and cannot be read
 * stands in the list too, as `unreadable`, so that nothing of the answer is lost.
 *
 * @returns the edits in the order of the answer; exactly one `unreadable` with the code `EDITS_MISSING` when
 * there is none
 */
export function readEdits(_answer: string): AnsweredEdit[] {
  throw new Error("not written yet");
}
