import { textLines } from "#lib/code/diff/file-diff.ts";
import { characterCodes, findRuns } from "#lib/code/diff/find-runs.ts";
import { indentationOf, withoutTrailingBlanks } from "#lib/code/edits/blanks.ts";

/** Part of a text, in UTF-16 units. */
export interface Place {
  start: number;
  end: number;
}

/** What every line of a search text has too much or too little at its beginning. */
export interface Shift {
  kind: "add" | "remove";
  blanks: string;
}

export type Tolerance = "line_ends_and_trailing_blanks" | "indentation";

export interface Wanted {
  /** Not empty. */
  search: string;
  occurrences: number;
  /** No match begins or ends within a line; a final line end may be missing. */
  whole_lines: boolean;
}

export type Found =
  | { kind: "found"; places: Place[]; shift?: Shift; tolerances: Tolerance[] }
  | { kind: "absent" }
  /** It occurs, but not as often as stated. */
  | { kind: "miscounted"; places: Place[] }
  /** It occurs as often as stated, but not with one shift of indentation. */
  | { kind: "unevenly_indented"; places: Place[] };

/**
 * Finds a search text in a file's text (without byte order mark). It is looked for as it is; then without
 * regard to line ends and blanks at the end of lines; then also without regard to indentation, where all
 * lines must be off by the same blanks. A later way is tried only when those before it found too few places.
 * The work is linear in both texts, whatever they repeat.
 */
export function findText(text: string, { search, occurrences, whole_lines }: Wanted): Found {
  const wanted = whole_lines && !search.endsWith("\n") ? `${search}\n` : search;
  const places = new Map<number, Place>();
  const tolerances: Tolerance[] = [];
  const is_blank = withoutTrailingBlanks(wanted.replaceAll("\n", " ")) === "";
  const ways = is_blank ? [exactPlaces] : [exactPlaces, unendedPlaces];
  for (const [index, find] of ways.entries()) {
    for (const place of find(text, wanted, whole_lines)) {
      if (!places.has(place.start)) places.set(place.start, place);
    }
    if (index === 1) tolerances.push("line_ends_and_trailing_blanks");
    if (places.size === occurrences) {
      const judged = judge([...places.values()], tolerances);
      return judged.kind === "found" ? (withinIndentation(text, wanted, judged) ?? judged) : judged;
    }
    if (places.size > occurrences) return { kind: "miscounted", places: inOrder(places) };
  }
  if (is_blank) return miscountedOrAbsent(places);
  const shifted = unindentedPlaces(text, wanted);
  for (const { start, end } of shifted) if (!places.has(start)) places.set(start, { start, end });
  if (places.size !== occurrences) return miscountedOrAbsent(places);
  const shift = sameShift(shifted, places.size);
  if (shift === undefined) return { kind: "unevenly_indented", places: inOrder(places) };
  const judged = judge([...places.values()], [...tolerances, "indentation"]);
  return judged.kind === "found" ? { ...judged, shift } : judged;
}

/**
 * A search text of one line that begins with blanks may be found behind other blanks of that line. If it goes on
 * to the line's end, it is indented too little, and so is every line of the replacement: a shift as any other.
 */
function withinIndentation(
  text: string,
  search: string,
  { places, tolerances }: Extract<Found, { kind: "found" }>,
): Found | undefined {
  if (indentationOf(search) === "" || textLines(search).length > 1) return undefined;
  const befores = places.map(({ start }) => text.slice(text.lastIndexOf("\n", start - 1) + 1, start));
  const [blanks = ""] = befores;
  const is_shifted =
    blanks !== "" && indentationOf(blanks) === blanks && befores.every((one) => one === blanks);
  const is_whole =
    search.endsWith("\n") || places.every(({ end }) => /^[ \t]*(?:\r?\n|$)/.test(text.slice(end, end + 200)));
  if (!is_shifted || !is_whole) return undefined;
  return {
    kind: "found",
    places: places.map(({ start, end }) => ({ start: start - blanks.length, end })),
    shift: { kind: "add", blanks },
    tolerances: [...tolerances, "indentation"],
  };
}

function miscountedOrAbsent(places: ReadonlyMap<number, Place>): Found {
  return places.size > 0 ? { kind: "miscounted", places: inOrder(places) } : { kind: "absent" };
}

function inOrder(places: ReadonlyMap<number, Place>): Place[] {
  return [...places.values()].sort((left, right) => left.start - right.start);
}

/** Places that overlap cannot all be replaced, so their number says nothing. */
function judge(unordered: readonly Place[], tolerances: readonly Tolerance[]): Found {
  const places = [...unordered].sort((left, right) => left.start - right.start);
  const overlaps = places.some(({ start }, index) => start < (places[index - 1]?.end ?? 0));
  return overlaps ? { kind: "miscounted", places } : { kind: "found", places, tolerances: [...tolerances] };
}

function exactPlaces(text: string, search: string, whole_lines: boolean): Place[] {
  const ended = whole_lines && !text.endsWith("\n") ? `${text}\n` : text;
  return textRuns(ended, search)
    .filter((start) => !whole_lines || start === 0 || ended[start - 1] === "\n")
    .map((start) => besideLineEnds(text, start, Math.min(text.length, start + search.length)))
    .filter(({ start, end }) => start < end);
}

/** A place that does not begin or end between the two characters of a CRLF: that before it goes with the feed. */
function besideLineEnds(text: string, start: number, end: number): Place {
  const isWithin = (at: number) => text[at - 1] === "\r" && text[at] === "\n";
  return { start: isWithin(start) ? start - 1 : start, end: isWithin(end) ? end - 1 : end };
}

function textRuns(text: string, run: string): number[] {
  return findRuns(characterCodes(text), characterCodes(run), 0, text.length);
}

/** A line of a text, and the same without its line end and the blanks before that. */
interface Line {
  start: number;
  /** After the line end. */
  end: number;
  content: string;
  /** Where its line end begins. */
  content_end: number;
}

function linesOf(text: string): Line[] {
  let start = 0;
  return textLines(text).map((line) => {
    const length_ended = line.endsWith("\r\n") ? 2 : line.endsWith("\n") ? 1 : 0;
    const end = start + line.length;
    const made = { start, end, content: withoutTrailingBlanks(line), content_end: end - length_ended };
    start = end;
    return made;
  });
}

/** Places of a search text without regard to line ends and to blanks at the end of lines. */
function unendedPlaces(text: string, search: string, whole_lines: boolean): Place[] {
  const lines = linesOf(text);
  const plain = lines.map(({ content }) => `${content}\n`).join("");
  const starts: number[] = [];
  let position = 0;
  for (const { content } of lines) {
    starts.push(position);
    position += content.length + 1;
  }
  const parts = search.split("\n");
  const last = parts.at(-1) ?? "";
  const wanted = parts.map(withoutTrailingBlanks).join("\n");
  const must_end_line = withoutTrailingBlanks(last) !== last;
  const place = (at: number): Place => {
    const first = lineAt(starts, at);
    const last_at = at + wanted.length - 1;
    const last_line = lineAt(starts, last_at);
    const column = at - (starts[first] ?? 0);
    const line = lines[first] as Line;
    const ending = lines[last_line] as Line;
    return {
      start: column === line.content.length ? line.content_end : line.start + column,
      end: plain[last_at] === "\n" ? ending.end : ending.start + last_at - (starts[last_line] ?? 0) + 1,
    };
  };
  return textRuns(plain, wanted)
    .filter((at) => !whole_lines || at === 0 || plain[at - 1] === "\n")
    .filter((at) => !must_end_line || plain[at + wanted.length] === "\n")
    .map(place)
    .filter(({ start, end }) => start < end);
}

/** Index of the line that has the character at `position`, by halving. */
function lineAt(starts: readonly number[], position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface ShiftedPlace extends Place {
  shift: Shift | undefined;
}

/** Places of the whole lines of a search text, without regard to their indentation. */
function unindentedPlaces(text: string, search: string): ShiftedPlace[] {
  const lines = linesOf(text);
  const wanted = linesOf(search);
  const contents = (of: readonly Line[]) =>
    of.map(({ content }) => content.slice(indentationOf(content).length));
  const places = findRuns(contents(lines), contents(wanted), 0, lines.length);
  const overlap = places.some((at, index) => at - (places[index - 1] ?? -wanted.length) < wanted.length);
  return places.map((at) => {
    const first = lines[at] as Line;
    const last = lines[at + wanted.length - 1] as Line;
    const ended = search.endsWith("\n");
    return {
      start: first.start,
      end: ended ? last.end : last.start + last.content.length,
      // Overlapping places are refused anyway, and comparing them all would be quadratic.
      shift: overlap ? undefined : shiftAt(lines, at, wanted),
    };
  });
}

/** The one shift between the search text and the lines at `at`; undefined when there is none. */
function shiftAt(lines: readonly Line[], at: number, wanted: readonly Line[]): Shift | undefined {
  let shift: Shift | undefined;
  for (const [offset, { content }] of wanted.entries()) {
    if (content === "") continue;
    const is = indentationOf(lines[at + offset]?.content ?? "");
    const said = indentationOf(content);
    shift ??= is.endsWith(said)
      ? { kind: "add", blanks: is.slice(0, is.length - said.length) }
      : { kind: "remove", blanks: said.slice(0, said.length - is.length) };
    const fits = shift.kind === "add" ? is === shift.blanks + said : said === shift.blanks + is;
    if (!fits) return undefined;
  }
  return shift;
}

function sameShift(places: readonly ShiftedPlace[], count: number): Shift | undefined {
  const [first] = places;
  if (first?.shift === undefined || places.length !== count) return undefined;
  const { kind, blanks } = first.shift;
  return places.every(({ shift }) => shift?.kind === kind && shift.blanks === blanks)
    ? first.shift
    : undefined;
}
