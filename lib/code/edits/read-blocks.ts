import { type AnswerCursor, countLeading, fenceOpenedBy, malformed } from "#lib/code/edits/answer-lines.ts";
import { plainPath } from "#lib/code/edits/edited-tree.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";

/** What a block of the text form is for, and the word at its end. */
const ENDS = { SEARCH: "REPLACE", FILE: "FILE", DELETE: "DELETE", RENAME: "RENAME" } as const;
type Keyword = keyof typeof ENDS;

/** A line that begins a block. */
interface Opening {
  keyword: Keyword;
  /** How many `<` it has; the other markers of the block have as many characters. */
  length: number;
  occurrences: number;
}

/** The block that was read last, for a block that follows without a path of its own. */
export interface LastBlock {
  path: string;
  /** Line after it. */
  end: number;
}

const MARKER_LENGTH_MIN = 7;
const OPENING = /^ (SEARCH|FILE|DELETE|RENAME)(?: occurrences=(\d{1,6}))?$/;
const CLOSING = /^ (?:REPLACE|FILE|DELETE|RENAME)$/;
const OCCURRENCES_MAX = 1000;

/** @returns the opening of a block; "broken" for a line that is meant as one but is not written so */
export function openingOf(line: string): Opening | "broken" | undefined {
  const text = line.trim();
  const length = countLeading(text, "<");
  if (length < MARKER_LENGTH_MIN - 2) return undefined;
  const words = text.slice(length, length + 60);
  if (!/^ *(?:SEARCH|FILE|DELETE|RENAME)\b/i.test(words)) return undefined;
  const [, keyword, digits] = OPENING.exec(words) ?? [];
  if (keyword === undefined || length < MARKER_LENGTH_MIN || line.trimEnd() !== text) return "broken";
  const occurrences = digits === undefined ? 1 : Number(digits);
  if (occurrences < 1 || occurrences > OCCURRENCES_MAX || (digits !== undefined && keyword !== "SEARCH"))
    return "broken";
  return { keyword: keyword as Keyword, length, occurrences };
}

/** Whether a line is the end of a block, which has no meaning where no block is open. */
export function isClosing(line: string): boolean {
  const text = line.trim();
  const length = countLeading(text, ">");
  return length >= MARKER_LENGTH_MIN && CLOSING.test(text.slice(length, length + 60));
}

export function brokenOpening(cursor: AnswerCursor): AnsweredEdit {
  return malformed(
    `Line ${cursor.index + 1} of the answer, ${JSON.stringify(cursor.lines[cursor.index]?.trim().slice(0, 80))}, is not written as the beginning of an edit. Begin the line with \`<<<<<<< SEARCH\`, \`<<<<<<< FILE\`, \`<<<<<<< DELETE\` or \`<<<<<<< RENAME\`.`,
  );
}

/** Reads the block that opens at the cursor, and leaves the cursor after it. */
export function readBlock(cursor: AnswerCursor, opening: Opening, last: LastBlock | undefined): AnsweredEdit {
  const { lines, index: at } = cursor;
  const path = pathAbove(lines, at, last);
  const closing = `${">".repeat(opening.length)} ${ENDS[opening.keyword]}`;
  let end = at + 1;
  for (; end < lines.length; end++) {
    const line = (lines[end] ?? "").trimEnd();
    if (line === closing) break;
    const inner = openingOf(line);
    if (typeof inner !== "object" || inner.length !== opening.length) continue;
    cursor.index = lines.length;
    const message = `The edit that begins at line ${at + 1} of the answer has another beginning in it, at line ${end + 1}. End each edit before the next; where a file itself has such a line, write the markers of the edit longer. Nothing from line ${at + 1} on was taken.`;
    return malformed(message, path);
  }
  cursor.index = end + 1;
  if (end === lines.length) {
    const message = `The edit that begins at line ${at + 1} of the answer has no end \`${closing}\`. Send it again, whole.`;
    return malformed(message, path);
  }
  const content = lines.slice(at + 1, end);
  if (path === undefined) {
    return malformed(
      `The line above line ${at + 1} of the answer is not a path. Write the path of the file, and nothing else, on the line above the edit.`,
    );
  }
  return editOf(opening, path, content, at + 1);
}

function editOf(opening: Opening, path: string, content: readonly string[], line: number): AnsweredEdit {
  switch (opening.keyword) {
    case "SEARCH":
      return searchEdit(opening, path, content, line);
    case "FILE":
      return fileEdit(path, content, line);
    case "DELETE":
      if (content.every((text) => text.trim() === "")) return { kind: "delete", path };
      return malformed(`The deletion at line ${line} of the answer has content. Leave it empty.`, path);
    case "RENAME": {
      const [new_path, ...others] = content.map(pathOf);
      if (new_path !== undefined && others.length === 0) return { kind: "rename", path, new_path };
      return malformed(
        `The renaming at line ${line} of the answer needs the new path on one line, and nothing else.`,
        path,
      );
    }
  }
}

function searchEdit(
  { length, occurrences }: Opening,
  path: string,
  content: readonly string[],
  line: number,
): AnsweredEdit {
  const divider = "=".repeat(length);
  const places = content.flatMap((text, index) => (text.trimEnd() === divider ? [index] : []));
  const [place] = places;
  if (place === undefined || places.length > 1) {
    return malformed(
      `The edit at line ${line} of the answer has ${places.length} lines \`${divider}\` between search text and replacement, and needs one. Where a file itself has such a line, write all markers of the edit longer.`,
      path,
    );
  }
  const search = joinLines(content.slice(0, place));
  const replace = joinLines(content.slice(place + 1));
  return { kind: "replace", path, search, replace, occurrences, whole_lines: true };
}

function fileEdit(path: string, content: readonly string[], line: number): AnsweredEdit {
  const opened = fenceOpenedBy(content[0] ?? "");
  const is_fenced =
    opened !== undefined && content.length > 1 && fenceOpenedBy(content.at(-1) ?? "")?.info === "";
  if (is_fenced && !/\.(?:md|mdx|markdown)$/i.test(path)) {
    return malformed(
      `The file at line ${line} of the answer has a fence of Markdown around its content. Write the content alone between the markers.`,
      path,
    );
  }
  return { kind: "write", path, content: joinLines(content) };
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * The path on the line above a block, between which and the block a fence may open. A block that follows
 * another one with nothing but blank lines and fences between has the same path.
 */
function pathAbove(lines: readonly string[], at: number, last: LastBlock | undefined): string | undefined {
  let above = at - 1;
  if (above >= 0 && fenceOpenedBy(lines[above] ?? "")) above--;
  const from = last?.end ?? 0;
  const path = above >= from ? pathOf(lines[above] ?? "") : undefined;
  if (path !== undefined || last === undefined) return path;
  for (let line = at - 1; line >= last.end; line--) {
    const text = lines[line] ?? "";
    if (text.trim() !== "" && fenceOpenedBy(text) === undefined) return undefined;
  }
  return last.path;
}

const PATH_LINE_CHARACTERS_MAX = 2200;
const LABEL = /^(?:\d{1,3}\. |[-*] |#{1,6} )?(?:file|path): /i;
const HEADING = /^(?:\d{1,3}\. |[-*] |#{1,6} )/;

/** A line as a path: alone, or in backticks, quotes or bold, or after `File:`. A path with a blank in it needs quotes. */
function pathOf(line: string): string | undefined {
  if (line.length > PATH_LINE_CHARACTERS_MAX) return undefined;
  let text = line.trim();
  const label = LABEL.exec(text) ?? HEADING.exec(text);
  if (label) text = text.slice(label[0].length).trim();
  const bold = /^\*\*(.+?):?\*\*:?$/.exec(text)?.[1];
  if (bold !== undefined) text = bold;
  const between = /^([`"'])([^`"']+)\1:?$/.exec(text)?.[2];
  if (between !== undefined) return plainPath(between);
  const word = /[/.].*:$/.test(text) ? text.slice(0, -1) : text;
  return word === "" || /[\s`"'*]|[.:!?,;]$/.test(word) ? undefined : plainPath(word);
}
