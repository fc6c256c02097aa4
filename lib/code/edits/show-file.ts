import { textLines } from "#lib/code/diff/file-diff.ts";
import { withoutLineEnd } from "#lib/code/edits/blanks.ts";
import { EDIT_LIMITS, type EditLimits } from "#lib/code/edits/edit-limits.ts";
import { openFile, plainPath } from "#lib/code/edits/edited-tree.ts";
import { editState, knownFiles, noteShown } from "#lib/code/edits/known-files.ts";
import { isRefused } from "#lib/code/edits/refusal.ts";
import type { EditState, FileView } from "#schemas/edits.ts";

export interface ShowOptions {
  /** First line to show, from 1. */
  from_line?: number;
  lines_max?: number;
  /** Of the text, line numbers included. Only whole lines are shown. */
  characters_max?: number;
  /** Puts each line's number before it. */
  numbered?: boolean;
}

const LINES_MAX = 2000;
const CHARACTERS_MAX = 64_000;
const NUMBER_WIDTH = 6;

/**
 * Shows a file of the tree to a model and remembers its hash, so that an edit of it can be held against what
 * was seen. A file that cannot be edited cannot be shown either. A line that does not fit is not shown, and
 * neither is anything after it.
 *
 * @returns the text, or why not: `EDIT_PATH_UNSAFE`, `EDIT_FILE_MISSING`, `EDIT_FILE_NOT_TEXT`, `EDIT_TOO_LARGE`
 */
export async function showFile(
  directory: string,
  path: string,
  state: EditState,
  options: ShowOptions = {},
  limits: EditLimits = EDIT_LIMITS,
): Promise<FileView> {
  const plain = plainPath(path);
  const opened = await openFile({ directory, limits, edited: new Map() }, plain);
  if (isRefused(opened)) {
    const { code, message } = opened.refusal;
    return { kind: "refused", path: plain, code, message };
  }
  const { text, sha256 } = opened.file;
  const lines = textLines(text);
  const from_line = Math.max(1, Math.trunc(options.from_line ?? 1));
  const shown = shownLines(lines, from_line, options);
  const to_line = from_line + shown.length - 1;
  const known = knownFiles(state);
  noteShown(known, plain, {
    sha256,
    lines_total: lines.length,
    lines: shown.length > 0 ? [from_line, to_line] : undefined,
  });
  return {
    kind: "shown",
    path: plain,
    text: shown.join(""),
    from_line,
    to_line,
    lines_total: lines.length,
    sha256,
    state: editState(known),
  };
}

function shownLines(lines: readonly string[], from_line: number, options: ShowOptions): string[] {
  const { lines_max = LINES_MAX, characters_max = CHARACTERS_MAX, numbered = false } = options;
  const shown: string[] = [];
  let characters = 0;
  for (const [index, line] of lines.slice(from_line - 1, from_line - 1 + lines_max).entries()) {
    const number = numbered ? `${String(from_line + index).padStart(NUMBER_WIDTH)}| ` : "";
    const text = `${number}${withoutLineEnd(line)}\n`;
    characters += text.length;
    if (characters > characters_max) break;
    shown.push(text);
  }
  return shown;
}
