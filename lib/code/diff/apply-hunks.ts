import { type FileDiff, pathOf } from "#lib/code/diff/file-diff.ts";
import { type Placement, placeHunk, shownLine, statedPlace } from "#lib/code/diff/place-hunk.ts";
import { textLines } from "#lib/code/diff/text-lines.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

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
  const placement: Placement = { from: 0, moved: false, searched_lines: 0 };
  for (const [index, hunk] of file.hunks.entries()) {
    const place = placeHunk(before, hunk, placement);
    if (typeof place !== "number") throw doesNotApply(file, index, place.problem);
    placement.moved ||= place !== statedPlace(hunk);
    for (let taken = placement.from; taken < place; taken++) append(after, before[taken], file, index);
    for (const line of hunk.lines) if (line.kind !== "delete") append(after, line.text, file, index);
    placement.from = place + hunk.before_count;
  }
  for (let taken = placement.from; taken < before.length; taken++) {
    append(after, before[taken], file, file.hunks.length - 1);
  }
  return after.join("");
}

function append(lines: string[], line: string | undefined, file: FileDiff, index: number): void {
  const last = lines.at(-1);
  if (last !== undefined && !last.endsWith("\n")) {
    throw doesNotApply(file, index, `${shownLine(last)} has no newline at its end, so no line can follow it`);
  }
  if (line !== undefined) lines.push(line);
}

function doesNotApply(file: FileDiff, index: number, problem: string): RejectedInput {
  const hunk = file.hunks[index];
  return new RejectedInput(
    "DIFF_DOES_NOT_APPLY",
    `${pathOf(file)}: hunk ${index + 1} of ${file.hunks.length} (${hunk?.header ?? ""}, line ${hunk?.line ?? 0} of the diff) does not apply: ${problem}. Make the diff against the source that was submitted.`,
  );
}
