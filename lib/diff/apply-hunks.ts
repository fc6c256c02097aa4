import { type FileDiff, type Hunk, pathOf } from "#lib/diff/file-diff.ts";
import { textLines } from "#lib/diff/text-lines.ts";
import { RejectedInput } from "#lib/errors/fault.ts";

const PLACES_NAMED_MAX = 5;

/**
 * A file's text after all hunks. A hunk goes to its stated line when every context and deleted
 * line is there exactly. Otherwise it may have moved, and is accepted elsewhere only when it fits
 * at exactly one place after the hunk before it; no line is ever allowed to differ (no fuzz). Once
 * one hunk has moved, the stated lines of those after it are not trusted either.
 *
 * @throws RejectedInput `DIFF_DOES_NOT_APPLY`
 */
export function applyHunks(text: string, file: FileDiff): string {
  const before = textLines(text);
  const after: string[] = [];
  let taken = 0;
  let moved = false;
  for (const [index, hunk] of file.hunks.entries()) {
    const place = placeHunk(before, hunk, taken, moved);
    if (typeof place !== "number") throw doesNotApply(file, index, place.problem);
    moved ||= place !== statedPlace(hunk);
    for (; taken < place; taken++) append(after, before[taken], file, index);
    for (const line of hunk.lines) if (line.kind !== "delete") append(after, line.text, file, index);
    taken += hunk.before_count;
  }
  for (; taken < before.length; taken++) append(after, before[taken], file, file.hunks.length - 1);
  return after.join("");
}

function append(lines: string[], line: string | undefined, file: FileDiff, index: number): void {
  const last = lines.at(-1);
  if (last !== undefined && !last.endsWith("\n")) {
    throw doesNotApply(file, index, `${shown(last)} has no newline at its end, so no line can follow it`);
  }
  if (line !== undefined) lines.push(line);
}

function statedPlace(hunk: Hunk): number {
  return hunk.before_count === 0 ? hunk.before_start : hunk.before_start - 1;
}

function placeHunk(lines: string[], hunk: Hunk, from: number, moved: boolean): number | { problem: string } {
  const expected = hunk.lines.filter(({ kind }) => kind !== "insert").map(({ text }) => text);
  const stated = statedPlace(hunk);
  const fits = (place: number) =>
    place >= from &&
    place + expected.length <= lines.length &&
    expected.every((text, offset) => lines[place + offset] === text);
  if (!moved && fits(stated)) return stated;
  const places = expected.length === 0 ? [] : findPlaces(lines, hunk, expected.length, fits);
  const [place] = places;
  if (places.length === 1 && place !== undefined) return place;
  if (places.length === 0) return { problem: firstDifference(lines, expected, stated) };
  const named = places.slice(0, PLACES_NAMED_MAX).map((found) => found + 1);
  return {
    problem: `it fits at ${places.length} places (lines ${named.join(", ")}${places.length > named.length ? " …" : ""}), none of them the stated line ${stated + 1}`,
  };
}

/** A hunk without context on one side says by it that the file begins or ends there. */
function findPlaces(lines: string[], hunk: Hunk, length: number, fits: (place: number) => boolean): number[] {
  const at_start = hunk.before_start <= 1 && hunk.lines[0]?.kind !== "context";
  const at_end = hunk.lines.at(-1)?.kind !== "context";
  const places: number[] = [];
  for (let place = 0; place + length <= lines.length; place++) {
    if (at_start && place > 0) break;
    if (at_end && place + length < lines.length) continue;
    if (fits(place)) places.push(place);
  }
  return places;
}

function firstDifference(lines: string[], expected: string[], stated: number): string {
  const offset = expected.findIndex((text, index) => lines[stated + index] !== text);
  if (offset < 0) return `the lines before it have moved, and nothing says where it belongs now`;
  const actual = lines[stated + offset];
  return `line ${stated + offset + 1} should be ${shown(expected[offset])} but ${
    actual === undefined ? `the file has only ${lines.length} lines` : `is ${shown(actual)}`
  }, and the hunk fits nowhere else`;
}

function shown(text: string | undefined): string {
  return JSON.stringify((text ?? "").slice(0, 160));
}

function doesNotApply(file: FileDiff, index: number, problem: string): RejectedInput {
  const hunk = file.hunks[index];
  return new RejectedInput(
    "DIFF_DOES_NOT_APPLY",
    `${pathOf(file)}: hunk ${index + 1} of ${file.hunks.length} (${hunk?.header ?? ""}, line ${hunk?.line ?? 0} of the diff) does not apply: ${problem}. Make the diff against the source that was submitted.`,
  );
}
