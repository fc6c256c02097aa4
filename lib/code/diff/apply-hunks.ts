import {
  doesNotApply,
  type FileDiff,
  type Hunk,
  pathOf,
  shownText,
  textLines,
} from "#lib/code/diff/file-diff.ts";
import { findRuns } from "#lib/code/diff/find-runs.ts";

const PLACES_MAX = 5;
/** Lines looked through for the moved hunks of one file, all together. */
const SEARCHED_LINES_MAX = 20_000_000;

/** What the hunks of one file that are already placed mean for the next. */
interface Placement {
  /** Lines of the file before this are taken by earlier hunks. */
  from: number;
  /** Lines that the hunks so far have added, less those they deleted. */
  growth: number;
  /** An earlier hunk was not at its stated line. */
  moved: boolean;
  searched_lines: number;
  /** The diff was made without context (`-U0`): its hunks are where they say, or nowhere. */
  is_bare: boolean;
}

/**
 * A file's bytes after all hunks. A hunk goes to its stated line when every context and deleted
 * line is there exactly. Otherwise it may have moved, and is accepted elsewhere only when it fits
 * at exactly one place of the file; no line is ever allowed to differ (no fuzz). Once one hunk has
 * moved, the stated lines of those after it are not trusted either. As `git apply` has it, a hunk
 * that states line 1 belongs to the file's beginning, and one without context after it to its end.
 * A diff without any context (`-U0`) is taken at its stated lines only, as `git apply --unidiff-zero`
 * and `patch` do, and `git apply` alone does not.
 *
 * @throws RejectedInput `DIFF_DOES_NOT_APPLY`
 */
export function applyHunks(bytes: Buffer, file: FileDiff): Buffer {
  const before = textLines(bytes.toString("latin1"));
  const after: string[] = [];
  const placement = { from: 0, growth: 0, moved: false, searched_lines: 0, is_bare: isBare(file.hunks) };
  for (const [index, hunk] of file.hunks.entries()) {
    const place = placeHunk(before, hunk, placement);
    if (typeof place !== "number") throw hunkDoesNotApply(file, index, place.problem);
    placement.moved ||= place !== statedPlace(hunk);
    for (let taken = placement.from; taken < place; taken++) append(after, before[taken], file, index);
    for (const line of hunk.lines) if (line.kind !== "delete") append(after, line.text, file, index);
    placement.from = place + hunk.before_count;
    placement.growth += hunk.after_count - hunk.before_count;
  }
  for (let taken = placement.from; taken < before.length; taken++) {
    append(after, before[taken], file, file.hunks.length - 1);
  }
  return Buffer.from(after.join(""), "latin1");
}

function isBare(hunks: readonly Hunk[]): boolean {
  return !hunks.some(({ lines }) => lines.some(({ kind }) => kind === "context"));
}

function append(lines: string[], line: string | undefined, file: FileDiff, index: number): void {
  const last = lines.at(-1);
  if (last !== undefined && !last.endsWith("\n")) {
    throw hunkDoesNotApply(
      file,
      index,
      `${shownLine(last)} has no newline at its end, so no line can follow it`,
    );
  }
  if (line !== undefined) lines.push(line);
}

function hunkDoesNotApply(file: FileDiff, index: number, problem: string): Error {
  const hunk = file.hunks[index];
  const where = `${shownText(hunk?.header ?? "")}, line ${hunk?.line ?? 0} of the diff`;
  return doesNotApply(
    pathOf(file),
    `hunk ${index + 1} of ${file.hunks.length} (${where}) does not apply: ${problem}`,
  );
}

/** The line, from 0, that a hunk says it is at. */
function statedPlace(hunk: Hunk): number {
  return hunk.before_count === 0 ? hunk.before_start : hunk.before_start - 1;
}

/** Where a hunk goes, from 0, or why it goes nowhere. The rules are `applyHunks`'s. */
function placeHunk(lines: readonly string[], hunk: Hunk, placement: Placement): number | { problem: string } {
  const expected = hunk.lines.filter(({ kind }) => kind !== "insert").map(({ text }) => text);
  const stated = statedPlace(hunk);
  const stated_after = (hunk.after_count === 0 ? hunk.after_start : hunk.after_start - 1) - placement.growth;
  const at_start = hunk.before_start <= 1;
  const at_end = hunk.lines.at(-1)?.kind !== "context" && !placement.is_bare;
  const fits =
    stated >= placement.from &&
    stated + expected.length <= lines.length &&
    (!at_end || stated + expected.length === lines.length) &&
    expected.every((text, offset) => lines[stated + offset] === text);
  if (fits && !placement.moved && stated === stated_after) return stated;
  if (placement.is_bare) {
    const problem = "it has no context, so it must be exactly where it says";
    return {
      problem: fits
        ? `${problem}, and its two sides say different lines`
        : `${problem}: ${firstDifference(lines, expected, stated)}`,
    };
  }
  placement.searched_lines += lines.length;
  if (placement.searched_lines > SEARCHED_LINES_MAX) {
    return { problem: "too many hunks of this file have moved to look for them all" };
  }
  const places = findPlaces(lines, expected, at_start, at_end);
  const [place] = places;
  if (place === undefined)
    return { problem: `${firstDifference(lines, expected, stated)}, and the hunk fits nowhere else` };
  if (places.length > 1) return { problem: ambiguity(places, stated, placement.moved) };
  if (place >= placement.from) return place;
  return { problem: `it fits only at line ${place + 1}, before the end of the hunk above it` };
}

function findPlaces(
  lines: readonly string[],
  expected: readonly string[],
  at_start: boolean,
  at_end: boolean,
): number[] {
  const last = lines.length - expected.length;
  if (expected.length === 0) return last === 0 ? [0] : [];
  if (last < 0 || (at_start && at_end && last > 0)) return [];
  const first = at_end ? last : 0;
  return findRuns(at_start ? lines.slice(0, expected.length) : lines, expected, first, PLACES_MAX);
}

function ambiguity(places: readonly number[], stated: number, moved: boolean): string {
  const named = places.map((place) => place + 1).join(", ");
  const count = places.length < PLACES_MAX ? String(places.length) : `${PLACES_MAX} or more`;
  const reason = moved
    ? `and the stated line ${stated + 1} is not to be trusted, as a hunk before it has moved`
    : places.includes(stated)
      ? `and its two sides do not state the same line`
      : `none of them the stated line ${stated + 1}`;
  return `it fits at ${count} places (lines ${named}), ${reason}`;
}

function firstDifference(lines: readonly string[], expected: readonly string[], stated: number): string {
  const offset = expected.findIndex((text, index) => lines[stated + index] !== text);
  const expected_line = expected[offset];
  if (expected_line === undefined) {
    return expected.length === 0
      ? "nothing but its line number says where it belongs, and that is not the file's end"
      : `it has no context after its last line, so it belongs to the file's end, but the file has ${lines.length} lines`;
  }
  const actual = lines[stated + offset];
  const found = actual === undefined ? `the file has only ${lines.length} lines` : `is ${shownLine(actual)}`;
  return `line ${stated + offset + 1} should be ${shownLine(expected_line)} but ${found}`;
}

/** A line as an error names it. */
function shownLine(text: string): string {
  return JSON.stringify(shownText(text.slice(0, 160)));
}
