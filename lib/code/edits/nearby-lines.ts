import { textLines } from "#lib/code/diff/file-diff.ts";
import { indentationOf, withoutTrailingBlanks } from "#lib/code/edits/blanks.ts";
import type { Place } from "#lib/code/edits/find-text.ts";
import type { NearbyLines } from "#schemas/edits.ts";

const LINES_MAX = 24;
const LINE_CHARACTERS_MAX = 240;
const LINES_AROUND = 2;
const PLACES_MAX = 4;
/** A line weighs as much as it has letters and digits, up to this: a lone brace says little. */
const WEIGHT_MAX = 40;

/** The lines of a text, without line ends. */
type Lines = readonly string[];

/** Lines `from` up to `to` (exclusive, from 0) as they are shown. */
function linesShown(lines: Lines, from: number, to: number): NearbyLines {
  const first = Math.max(0, from);
  return {
    from_line: first + 1,
    lines: lines.slice(first, Math.min(to, first + LINES_MAX)).map(cutLine),
  };
}

function cutLine(line: string): string {
  return line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line;
}

function plainLines(text: string): Lines {
  return textLines(text).map(withoutTrailingBlanks);
}

/** The first of several places, each with the lines around its beginning. */
export function linesAtPlaces(text: string, places: readonly Place[]): NearbyLines[] {
  const lines = plainLines(text);
  return lineNumbers(text, places.slice(0, PLACES_MAX)).map((line) =>
    linesShown(lines, line - 1 - LINES_AROUND, line + LINES_AROUND),
  );
}

/** The line, from 1, at which each place begins; places are in order. */
export function lineNumbers(text: string, places: readonly Place[]): number[] {
  let line = 1;
  let from = 0;
  return places.map(({ start }) => {
    for (let feed = text.indexOf("\n", from); feed >= 0 && feed < start; feed = text.indexOf("\n", from)) {
      line++;
      from = feed + 1;
    }
    return line;
  });
}

/**
 * The part of a text that is most like a search text, which does not occur in it: where most of its lines are,
 * each taken without indentation; or else where most of its words are. One pass over both texts.
 */
export function nearestLines(text: string, search: string): NearbyLines[] {
  const lines = plainLines(text);
  const wanted = plainLines(search);
  const length = Math.min(Math.max(1, wanted.length), LINES_MAX - 2 * LINES_AROUND);
  const start = startBySameLines(lines, wanted) ?? startBySameWords(lines, search, length);
  return start === undefined ? [] : [linesShown(lines, start - LINES_AROUND, start + length + LINES_AROUND)];
}

/** Each line that is also in the search text votes for the place at which the search text would begin. */
function startBySameLines(lines: Lines, wanted: Lines): number | undefined {
  const offsets = new Map<string, number>();
  for (const [offset, line] of wanted.entries()) {
    const key = unindented(line);
    if (key !== "" && !offsets.has(key)) offsets.set(key, offset);
  }
  const votes = new Map<number, number>();
  for (const [index, line] of lines.entries()) {
    const key = unindented(line);
    const offset = offsets.get(key);
    if (offset === undefined) continue;
    const start = index - offset;
    votes.set(start, (votes.get(start) ?? 0) + weightOf(key));
  }
  let best: { start: number; weight: number } | undefined;
  for (const [start, weight] of votes) {
    if (weight > (best?.weight ?? 0)) best = { start, weight };
  }
  return best && Math.max(0, best.start);
}

function unindented(line: string): string {
  return line.slice(indentationOf(line).length);
}

function weightOf(line: string): number {
  return Math.min(WEIGHT_MAX, wordsOf(line.slice(0, LINE_CHARACTERS_MAX)).join("").length);
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+/gu) ?? [];
}

function startBySameWords(lines: Lines, search: string, length: number): number | undefined {
  const words = new Set(wordsOf(search));
  const counts = lines.map((line) => new Set(wordsOf(line).filter((word) => words.has(word))).size);
  let sum = 0;
  let best: { start: number; sum: number } | undefined;
  for (const [index, count] of counts.entries()) {
    sum += count - (counts[index - length] ?? 0);
    const start = Math.max(0, index - length + 1);
    if (sum > (best?.sum ?? 0)) best = { start, sum };
  }
  return best?.start;
}
