import { textLines } from "#lib/code/diff/file-diff.ts";
import { lineChanges } from "#lib/code/diff/line-changes.ts";
import { lineEndOf, withoutLineEnd, withoutTrailingBlanks } from "#lib/code/edits/blanks.ts";
import type { Place, Shift } from "#lib/code/edits/find-text.ts";

export interface Replacement {
  search: string;
  replace: string;
  whole_lines: boolean;
  shift?: Shift | undefined;
}

/** A line of the replacement: one of the search text that stays, or a new one. */
type Step = { keeps: number } | { inserts: string; before: number };

/**
 * A file's text (without byte order mark) with the replacement at every place. Lines that search text and
 * replacement share keep their bytes. New lines get the line end of the lines they stand at, and the shift of
 * indentation with which the search text was found.
 *
 * @returns undefined when a new line lacks the blanks that the shift takes away
 */
export function replacePlaces(
  text: string,
  places: readonly Place[],
  replacement: Replacement,
): string | undefined {
  const steps = stepsOf(replacement);
  const pieces: string[] = [];
  let copied = 0;
  for (const place of places) {
    const made = replacePlace(text, place, steps, replacement);
    if (made === undefined) return undefined;
    pieces.push(text.slice(copied, place.start), made);
    copied = place.end;
  }
  return pieces.join("") + text.slice(copied);
}

function stepsOf({ search, replace, whole_lines }: Replacement): Step[] {
  const before = textLines(ended(search, whole_lines)).map(withLineFeed);
  const after = textLines(ended(replace, whole_lines)).map(withLineFeed);
  const steps: Step[] = [];
  let position = 0;
  const keepUntil = (end: number) => {
    while (position < end) steps.push({ keeps: position++ });
  };
  for (const { before_start, before_end, after_start, after_end } of lineChanges(before, after)) {
    keepUntil(before_start);
    position = before_end;
    for (const inserts of after.slice(after_start, after_end)) steps.push({ inserts, before: position });
  }
  keepUntil(before.length);
  return steps;
}

/** Whole lines all have a line end; whether the file's last one has is decided where they are put. */
function ended(text: string, whole_lines: boolean): string {
  return whole_lines && text !== "" && !text.endsWith("\n") ? `${text}\n` : text;
}

function withLineFeed(line: string): string {
  return line.endsWith("\r\n") ? `${line.slice(0, -2)}\n` : line;
}

function replacePlace(
  text: string,
  place: Place,
  steps: readonly Step[],
  replacement: Replacement,
): string | undefined {
  const lines = textLines(text.slice(place.start, place.end));
  const line_ends = lineEnds(lines, lineEndNear(text, place));
  const lineEndAt = (position: number) => line_ends[Math.max(0, position - 1)] ?? line_ends[0] ?? "\n";
  const made: string[] = [];
  for (const [index, step] of steps.entries()) {
    if ("keeps" in step) {
      const kept = lines[step.keeps] ?? "";
      const is_joined = index < steps.length - 1 && !kept.endsWith("\n");
      made.push(is_joined ? kept + lineEndAt(step.keeps) : kept);
      continue;
    }
    const shifted = shiftLine(withoutLineEnd(step.inserts), replacement.shift);
    if (shifted === undefined) return undefined;
    made.push(step.inserts.endsWith("\n") ? shifted + lineEndAt(step.before) : shifted);
  }
  const last = made.pop();
  if (last === undefined) return "";
  made.push(lastLine(last, text, place, replacement, lineEndAt(lines.length)));
  return made.join("");
}

/** The last line of what is put at a place: at the end of the file it has a line end as the file had. */
function lastLine(
  line: string,
  text: string,
  { end }: Place,
  { search, replace, whole_lines }: Replacement,
  line_end: string,
): string {
  if (line.endsWith("\r") && text.startsWith("\r\n", end)) return line.slice(0, -1);
  const bare = withoutLineEnd(line);
  const with_end = lineEndOf(line) === "" ? bare + line_end : line;
  const is_last = end === text.length;
  if (!whole_lines) return is_last && search.endsWith("\n") && !text.endsWith("\n") ? bare : line;
  if (!is_last) return with_end;
  const says_otherwise = search.endsWith("\n") !== replace.endsWith("\n");
  return (says_otherwise ? replace : text).endsWith("\n") ? with_end : bare;
}

/** For each line its line end, or that of the line before it; at the beginning the first one that there is. */
function lineEnds(lines: readonly string[], nearby: string): string[] {
  let last = lineEndOf(lines.find((line) => line.endsWith("\n")) ?? "") || nearby;
  return lines.map((line) => {
    last = lineEndOf(line) || last;
    return last;
  });
}

/** The line end of the line that a place ends in, or else of the line before it. */
function lineEndNear(text: string, { start, end }: Place): string {
  let feed = text.indexOf("\n", Math.max(start, end - 1));
  if (feed < 0) feed = text.lastIndexOf("\n", start);
  return feed > 0 && text[feed - 1] === "\r" ? "\r\n" : "\n";
}

function shiftLine(line: string, shift: Shift | undefined): string | undefined {
  if (shift === undefined || withoutTrailingBlanks(line) === "") return line;
  if (shift.kind === "add") return shift.blanks + line;
  return line.startsWith(shift.blanks) ? line.slice(shift.blanks.length) : undefined;
}
