import type { Hunk } from "#lib/code/diff/file-diff.ts";
import { findRuns } from "#lib/code/diff/find-runs.ts";

const PLACES_MAX = 5;
/** Lines looked through for the moved hunks of one file, all together. */
const SEARCHED_LINES_MAX = 20_000_000;

/** What the hunks of one file that are already placed mean for the next. */
export interface Placement {
  /** Lines of the file before this are taken by earlier hunks. */
  from: number;
  /** An earlier hunk was not at its stated line. */
  moved: boolean;
  searched_lines: number;
}

/** The line, from 0, that a hunk says it is at. */
export function statedPlace(hunk: Hunk): number {
  return hunk.before_count === 0 ? hunk.before_start : hunk.before_start - 1;
}

/** Where a hunk goes, from 0, or why it goes nowhere. The rules are `applyHunks`'s. */
export function placeHunk(
  lines: readonly string[],
  hunk: Hunk,
  placement: Placement,
): number | { problem: string } {
  const expected = hunk.lines.filter(({ kind }) => kind !== "insert").map(({ text }) => text);
  const stated = statedPlace(hunk);
  const fits =
    stated >= placement.from &&
    stated + expected.length <= lines.length &&
    expected.every((text, offset) => lines[stated + offset] === text);
  if (fits && !placement.moved) return stated;
  placement.searched_lines += lines.length - placement.from;
  if (placement.searched_lines > SEARCHED_LINES_MAX) {
    return { problem: "too many hunks of this file have moved to look for them all" };
  }
  const places = findPlaces(lines, hunk, expected, placement.from);
  const [place] = places;
  if (places.length === 1 && place !== undefined) return place;
  if (places.length > 1) return { problem: ambiguity(places, stated, placement.moved) };
  return { problem: firstDifference(lines, expected, stated) };
}

/** A hunk without context on one side says by it that the file begins or ends there. */
function findPlaces(lines: readonly string[], hunk: Hunk, expected: string[], from: number): number[] {
  const at_start = hunk.before_start <= 1 && hunk.lines[0]?.kind !== "context";
  const at_end = hunk.lines.at(-1)?.kind !== "context";
  const first = at_end ? Math.max(from, lines.length - expected.length) : from;
  if (at_start && first > 0) return [];
  return findRuns(at_start ? lines.slice(0, expected.length) : lines, expected, first, PLACES_MAX);
}

function ambiguity(places: readonly number[], stated: number, moved: boolean): string {
  const named = places.map((place) => place + 1).join(", ");
  const count = places.length < PLACES_MAX ? String(places.length) : `${PLACES_MAX} or more`;
  const reason = moved
    ? `and the stated line ${stated + 1} is not to be trusted, as a hunk before it has moved`
    : `none of them the stated line ${stated + 1}`;
  return `it fits at ${count} places (lines ${named}), ${reason}`;
}

function firstDifference(lines: readonly string[], expected: readonly string[], stated: number): string {
  const offset = expected.findIndex((text, index) => lines[stated + index] !== text);
  const expected_line = expected[offset];
  if (expected_line === undefined)
    return "nothing but its line number says where it belongs, and that is past";
  const actual = lines[stated + offset];
  const found = actual === undefined ? `the file has only ${lines.length} lines` : `is ${shownLine(actual)}`;
  return `line ${stated + offset + 1} should be ${shownLine(expected_line)} but ${found}, and the hunk fits nowhere else`;
}

/** A line as an error names it. */
export function shownLine(text: string): string {
  return JSON.stringify(text.slice(0, 160));
}
