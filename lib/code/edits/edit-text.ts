import { findText, type Tolerance } from "#lib/code/edits/find-text.ts";
import { lineNumbers, linesAtPlaces, nearestLines } from "#lib/code/edits/nearby-lines.ts";
import { changesNothing, quoted, type Refusal, refuse } from "#lib/code/edits/refusal.ts";
import { replacePlaces } from "#lib/code/edits/replace-places.ts";
import type { Edit } from "#schemas/edits.ts";

export interface EditedText {
  text: string;
  /** Line at which each replacement begins, in the text before. */
  lines: number[];
  tolerances: Tolerance[];
}

const LINES_NAMED_MAX = 10;
/** Line numbers as a listing has them before its lines. */
const NUMBERED_LINE = /^ {0,10}\d{1,7} ?[|:\t→]/;

/**
 * Replaces the search text of an edit in a file's text (without byte order mark).
 *
 * @returns the new text, or `EDIT_SEARCH_NOT_FOUND`, `EDIT_SEARCH_AMBIGUOUS`, `EDIT_CHANGES_NOTHING`,
 * `EDIT_FILE_NOT_TEXT`
 */
export function editText(
  path: string,
  text: string,
  edit: Pick<Extract<Edit, { kind: "replace" }>, "search" | "replace" | "occurrences" | "whole_lines">,
): EditedText | { refusal: Refusal } {
  const { occurrences, whole_lines = false } = edit;
  const has_mark = edit.search.startsWith("\uFEFF");
  const search = has_mark ? edit.search.slice(1) : edit.search;
  if (!search.isWellFormed() || !edit.replace.isWellFormed()) {
    return refuse("EDIT_FILE_NOT_TEXT", `The edit of ${quoted(path)} has half a surrogate pair in it.`);
  }
  const found = findText(text, { search, occurrences, whole_lines });
  if (found.kind === "absent") return absent(path, text, search);
  if (found.kind === "miscounted") {
    const lines = lineNumbers(text, found.places.slice(0, LINES_NAMED_MAX));
    const more = found.places.length > lines.length ? ", …" : "";
    return refuse(
      "EDIT_SEARCH_AMBIGUOUS",
      `The search text occurs ${times(found.places.length)} in ${quoted(path)} (line ${lines.join(", ")}${more}), but the edit says ${times(occurrences)}. Add neighboring lines until it names what you mean, or say how often it occurs.`,
      linesAtPlaces(text, found.places),
    );
  }
  if (found.kind === "unevenly_indented") return unevenlyIndented(path, text, found.places);
  const { places, shift, tolerances } = found;
  const at_start = places[0]?.start === 0;
  const replace =
    edit.replace.startsWith("\uFEFF") && (has_mark || at_start) ? edit.replace.slice(1) : edit.replace;
  const after = replacePlaces(text, places, { search, replace, whole_lines, shift });
  if (after === undefined) {
    return refuse(
      "EDIT_SEARCH_NOT_FOUND",
      `The search text is indented more than the lines of ${quoted(path)}, and the replacement has lines that are indented less, so it cannot be moved with it. Copy the indentation from the file.`,
      linesAtPlaces(text, places),
    );
  }
  if (after === text) {
    return changesNothing(path, "the replacement is the text that is there", linesAtPlaces(text, places));
  }
  return { text: after, lines: lineNumbers(text, places), tolerances };
}

function absent(path: string, text: string, search: string): { refusal: Refusal } {
  const lines = search.split("\n").filter((line) => line !== "");
  const is_numbered = lines.length > 0 && lines.every((line) => NUMBERED_LINE.test(line));
  const advice = is_numbered
    ? "It seems to have the line numbers of the listing in it; leave them out."
    : "Copy it from the file, with its indentation and without leaving lines out.";
  return refuse(
    "EDIT_SEARCH_NOT_FOUND",
    `The search text does not occur in ${quoted(path)}. ${advice}`,
    nearestLines(text, search),
  );
}

function unevenlyIndented(
  path: string,
  text: string,
  places: Parameters<typeof linesAtPlaces>[1],
): { refusal: Refusal } {
  return refuse(
    "EDIT_SEARCH_NOT_FOUND",
    `The lines of the search text are in ${quoted(path)} only with other indentation, and not all of them are off by the same blanks. Copy the indentation from the file.`,
    linesAtPlaces(text, places),
  );
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
