import { EDIT_LIMITS, type EditLimits } from "#lib/code/edits/edit-limits.ts";
import type { AnsweredEdit, EditOutcome, EditState } from "#schemas/edits.ts";

/** The state at the start of a conversation. */
export const NOTHING_SHOWN: EditState = { files: [] };

/**
 * Applies edits to the tree in a directory, in the order given, each on what those before it left. An edit is
 * applied exactly or refused with a code; a refused edit changes nothing and stops no other. All files are
 * written at the end, each whole. An error while writing puts back what was there and is thrown.
 *
 * @returns what was accepted and refused, and the state for the next answer. Refusals have the codes
 * `EDITS_MISSING` (the list is empty) and `EDIT_…`
 */
export async function applyEdits(
  _directory: string,
  _edits: readonly AnsweredEdit[],
  _state: EditState,
  _limits: EditLimits = EDIT_LIMITS,
): Promise<EditOutcome> {
  throw new Error("not written yet");
}
