import { EDIT_LIMITS, type EditLimits } from "#lib/code/edits/edit-limits.ts";
import type { EditState, FileView } from "#schemas/edits.ts";

export interface ShowOptions {
  /** First line to show, from 1. */
  from_line?: number;
  lines_max?: number;
  characters_max?: number;
  /** Puts each line's number before it. */
  numbered?: boolean;
}

/**
 * Shows a file of the tree to a model and remembers its hash, so that an edit of it can be held against what
 * was seen. A file that cannot be edited cannot be shown either.
 *
 * @returns the text, or why not: `EDIT_PATH_UNSAFE`, `EDIT_FILE_MISSING`, `EDIT_FILE_NOT_TEXT`, `EDIT_TOO_LARGE`
 */
export async function showFile(
  _directory: string,
  _path: string,
  _state: EditState,
  _options: ShowOptions = {},
  _limits: EditLimits = EDIT_LIMITS,
): Promise<FileView> {
  throw new Error("not written yet");
}
