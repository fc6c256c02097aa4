/**
 * The rules by which two other tools find the text of an edit, written anew from what is known of their behavior, and only
 * to compare with: what would they have made of the edits that we refuse? Both get line feeds, whatever the file has.
 */

/** The text after the edit, or undefined when the tool refuses it. */
export type Rules = (text: string, search: string, replace: string) => string | undefined;

const trimmed = (line: string) => line.trim();
const indentOf = (line: string) => line.length - line.trimStart().length;
const isBlank = (line: string) => line.trim() === "";

function lines(text: string): string[] {
  return text.split("\n");
}

/** Lines `at` up to `at + count` replaced by other lines. */
function splice(all: readonly string[], at: number, count: number, by: readonly string[]): string {
  return [...all.slice(0, at), ...by, ...all.slice(at + count)].join("\n");
}

/** Search and replacement as whole lines without the last line end. */
function wholeLines(text: string): string[] {
  return lines(text.endsWith("\n") ? text.slice(0, -1) : text);
}

/**
 * aider's search/replace blocks: the first place at which all lines are equal; else the first at which they are equal but for
 * the same missing indentation; both also without a blank first line; else the parts between lines of three dots,
 * each of which must occur once.
 */
export const aider: Rules = (text, search, replace) => {
  const [wanted, by] = [wholeLines(search), wholeLines(replace)];
  const tries = wanted.length > 2 && isBlank(wanted[0] ?? "") ? [wanted, wanted.slice(1)] : [wanted];
  for (const part of tries) {
    const all = lines(text);
    const last = all.length - part.length;
    for (let at = 0; at <= last; at++) {
      if (part.every((line, index) => all[at + index] === line))
        return splice(all, at, part.length, replace === "" ? [] : by);
    }
    const found = missingIndentation(all, part, replace === "" ? [] : by);
    if (found !== undefined) return found;
  }
  return betweenDots(text, search, replace);
};

function missingIndentation(
  all: readonly string[],
  part: readonly string[],
  by: readonly string[],
): string | undefined {
  const indents = [...part, ...by].filter((line) => !isBlank(line)).map(indentOf);
  const common = indents.length > 0 ? Math.min(...indents) : 0;
  const [wanted, put] = [part, by].map((some) =>
    some.map((line) => (isBlank(line) ? line : line.slice(common))),
  );
  for (let at = 0; at <= all.length - part.length; at++) {
    const added = new Set<string>();
    const fits = wanted?.every((line, index) => {
      const is = all[at + index] ?? "";
      if (is.trimStart() !== line.trimStart()) return false;
      if (!isBlank(is)) added.add(is.slice(0, is.length - line.length));
      return true;
    });
    const [blanks] = added;
    if (!fits || added.size !== 1 || blanks === undefined) continue;
    return splice(
      all,
      at,
      part.length,
      (put ?? []).map((line) => (isBlank(line) ? line : blanks + line)),
    );
  }
  return undefined;
}

function betweenDots(text: string, search: string, replace: string): string | undefined {
  const dots = /^\s*\.\.\.\n/m;
  const [parts, put] = [search, replace].map((some) => some.split(dots));
  if (!parts || !put || parts.length < 2 || parts.length !== put.length) return undefined;
  let after = text;
  for (const [index, part] of parts.entries()) {
    const by = put[index] ?? "";
    if (part === "" && by === "") continue;
    if (part === "" || after.split(part).length !== 2) return undefined;
    after = after.replace(part, () => by);
  }
  return after;
}

/** A way of opencode's to find what a search text may mean: texts of the file, of which the first that occurs once is taken. */
type Finder = (text: string, search: string) => string[];

/** All runs of as many lines as the search text has, for which `fits` holds. */
const runs =
  (fits: (run: readonly string[], wanted: readonly string[]) => boolean): Finder =>
  (text, search) => {
    const [all, wanted] = [lines(text), wholeLines(search)];
    return all.flatMap((_, at) => {
      const run = all.slice(at, at + wanted.length);
      return run.length === wanted.length && fits(run, wanted) ? [run.join("\n")] : [];
    });
  };

const lineTrimmed = runs((run, wanted) =>
  run.every((line, index) => trimmed(line) === trimmed(wanted[index] ?? "")),
);

const withoutCommonIndent = (some: readonly string[]): string => {
  const indents = some.filter((line) => !isBlank(line)).map(indentOf);
  const common = indents.length > 0 ? Math.min(...indents) : 0;
  return some.map((line) => (isBlank(line) ? line : line.slice(common))).join("\n");
};
const indentationFlexible = runs((run, wanted) => withoutCommonIndent(run) === withoutCommonIndent(wanted));

const oneBlank = (text: string) => text.replaceAll(/\s+/g, " ").trim();
const whitespaceNormalized = runs((run, wanted) => oneBlank(run.join("\n")) === oneBlank(wanted.join("\n")));

const escapeNormalized: Finder = (_, search) => [
  search.replaceAll("\\n", "\n").replaceAll("\\t", "\t").replaceAll('\\"', '"'),
];
const trimmedBoundary: Finder = (_, search) => (search.trim() === search ? [] : [search.trim()]);

/** Whether at least half of the lines between the first and the last are the same. */
const contextAware = runs((run, wanted) => {
  if (wanted.length < 3 || !anchored(run, wanted)) return false;
  const inner = wanted
    .slice(1, -1)
    .map((line, index) => [trimmed(line), trimmed(run[index + 1] ?? "")] as const);
  const counted = inner.filter(([wish, is]) => wish !== "" || is !== "");
  return counted.length === 0 || counted.filter(([wish, is]) => wish === is).length / counted.length >= 0.5;
});

function anchored(run: readonly string[], wanted: readonly string[]): boolean {
  return (
    trimmed(run[0] ?? "") === trimmed(wanted[0] ?? "") &&
    trimmed(run.at(-1) ?? "") === trimmed(wanted.at(-1) ?? "")
  );
}

/** From a line like the first to the next one like the last: taken if there is one such place, or else the most similar. */
const blockAnchor: Finder = (text, search) => {
  const [all, wanted] = [lines(text), wholeLines(search)];
  if (wanted.length < 3) return [];
  const blocks: string[][] = [];
  for (const [at, line] of all.entries()) {
    if (trimmed(line) !== trimmed(wanted[0] ?? "")) continue;
    const end = all.findIndex(
      (other, index) => index >= at + 2 && trimmed(other) === trimmed(wanted.at(-1) ?? ""),
    );
    if (end >= 0) blocks.push(all.slice(at, end + 1));
  }
  if (blocks.length === 1) return [blocks[0]?.join("\n") ?? ""];
  const scored = blocks
    .map((block) => ({ block, score: similarity(block, wanted) }))
    .sort((one, other) => other.score - one.score);
  const [best] = scored;
  return best && best.score >= 0.3 ? [best.block.join("\n")] : [];
};

/** Mean likeness of the lines between first and last. */
function similarity(block: readonly string[], wanted: readonly string[]): number {
  const count = Math.min(block.length, wanted.length) - 2;
  if (count <= 0) return 1;
  let sum = 0;
  for (let index = 1; index <= count; index++) {
    const [one, other] = [trimmed(block[index] ?? ""), trimmed(wanted[index] ?? "")];
    const longest = Math.max(one.length, other.length);
    sum += longest === 0 ? 0 : 1 - distance(one, other) / longest;
  }
  return sum / count;
}

/** Levenshtein's distance of two short texts. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let left = 1; left <= one.length; left++) {
    const next = [left];
    for (let right = 1; right <= other.length; right++) {
      const same = one[left - 1] === other[right - 1] ? 0 : 1;
      next.push(Math.min((row[right] ?? 0) + 1, (next[right - 1] ?? 0) + 1, (row[right - 1] ?? 0) + same));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

const FINDERS: readonly Finder[] = [
  (_, search) => [search],
  lineTrimmed,
  blockAnchor,
  whitespaceNormalized,
  indentationFlexible,
  escapeNormalized,
  trimmedBoundary,
  contextAware,
];

/** opencode's edit tool: nine ways one after another, each giving texts of the file; the first that occurs once is replaced. */
export const opencode: Rules = (text, search, replace) => {
  if (search === replace) return undefined;
  for (const find of FINDERS) {
    for (const found of find(text, search)) {
      const at = text.indexOf(found);
      if (found === "" || at < 0 || at !== text.lastIndexOf(found)) continue;
      return text.slice(0, at) + replace + text.slice(at + found.length);
    }
  }
  return undefined;
};
