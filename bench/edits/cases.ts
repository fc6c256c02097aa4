import { BASES, type Base } from "./bases.ts";

/** One edit of one file, with what must come of it. */
export interface EditCase {
  group: string;
  name: string;
  path: string;
  text: string;
  search: string;
  replace: string;
  occurrences: number;
  /** Of the text form and of diffs. */
  whole_lines: boolean;
  /** The bytes that the author of the edit wants to see. */
  intended: string;
  /** Whether the rules let it be applied: it then must give `intended`. Else it must be refused. */
  applies: boolean;
}

const joined = (lines: readonly string[], end = "\n") => lines.map((line) => line + end).join("");
const indented = (lines: readonly string[], blanks: string) =>
  lines.map((line) => (line === "" ? line : blanks + line));

/** The blanks that all lines of the blocks begin with. */
function commonIndent(...blocks: readonly string[][]): string {
  const indents = blocks.flat().flatMap((line) => (line === "" ? [] : [/^[ \t]*/.exec(line)?.[0] ?? ""]));
  return indents.reduce((one, other) => (one.length < other.length ? one : other));
}

interface Variant {
  head?: string[];
  /** The block as the file has it. */
  block?: string[];
  /** The block as the author wants it to be. */
  becomes?: string[];
  tail?: string[];
  searched?: string[];
  replaced?: string[];
  line_end?: string;
  edit_line_end?: string;
  before?: string;
  /** Cut off the file's last line end. */
  unended?: boolean;
  occurrences?: number;
  /** Within lines it would mean something else. */
  only_whole_lines?: boolean;
}

type Make = (base: Base) => Variant | undefined;

function caseOf(
  group: string,
  name: string,
  base: Base,
  variant: Variant,
  whole_lines: boolean,
  applies: boolean,
): EditCase {
  const { head = base.head, block = base.block, becomes = base.becomes, tail = base.tail } = variant;
  const { line_end = "\n", edit_line_end = "\n", before = "", unended = false } = variant;
  const cut = (text: string) => (unended ? text.slice(0, -line_end.length) : text);
  const edit = (lines: readonly string[]) => {
    const text = joined(lines, edit_line_end);
    return whole_lines ? text : text.slice(0, text.length - edit_line_end.length);
  };
  return {
    group,
    name: `${name}, ${base.path}${whole_lines ? "" : ", within lines"}`,
    path: base.path,
    text: before + cut(joined([...head, ...block, ...tail], line_end)),
    search: edit(variant.searched ?? base.block),
    replace: edit(variant.replaced ?? base.becomes),
    occurrences: variant.occurrences ?? 1,
    whole_lines,
    intended: before + cut(joined([...head, ...becomes, ...tail], line_end)),
    applies,
  };
}

/** The first line of the replacement that the block does not have. */
const isNew = (base: Base, line: string) => !base.block.includes(line);
const deepen = (lines: readonly string[], blanks: string) => indented(lines, blanks);

const APPLIED: Record<string, Record<string, Make>> = {
  exact: {
    "as it is": () => ({}),
    "one line of it": (base) => oneLine(base),
    "taken out": () => ({ becomes: [], replaced: [], only_whole_lines: true }),
    "grown before and after": (base) => {
      const grown = ["// before", ...base.block, "// after"];
      return { becomes: grown, replaced: grown };
    },
  },
  CRLF: {
    "file in CRLF": () => ({ line_end: "\r\n" }),
    "edit in CRLF": () => ({ edit_line_end: "\r\n" }),
    "both in CRLF": () => ({ line_end: "\r\n", edit_line_end: "\r\n" }),
  },
  BOM: {
    "byte order mark": () => ({ before: "\uFEFF" }),
    "byte order mark and CRLF": () => ({ before: "\uFEFF", line_end: "\r\n" }),
    "byte order mark before the block": () => ({ before: "\uFEFF", head: [] }),
  },
  "trailing blanks": {
    "in the file": (base) => blanksInFile(base),
    "in the search text": (base) => ({
      searched: base.block.map((line, index) => (index === 1 ? `${line}  ` : line)),
    }),
  },
  "end of file": {
    "last block": () => ({ tail: [] }),
    "last block without a line end": () => ({ tail: [], unended: true }),
    "last block without a line end in CRLF": () => ({ tail: [], unended: true, line_end: "\r\n" }),
    "whole file": () => ({ head: [], tail: [] }),
  },
  "nested indentation": {
    "search text not indented": (base) => {
      const blanks = commonIndent(base.block, base.becomes);
      if (blanks === "") return undefined;
      const bare = (lines: readonly string[]) =>
        lines.map((line) => line.slice(line === "" ? 0 : blanks.length));
      return { searched: bare(base.block), replaced: bare(base.becomes) };
    },
    "search text indented too much": (base) => ({
      searched: indented(base.block, "    "),
      replaced: indented(base.becomes, "    "),
    }),
    "search text indented too much by tabs": (base) => ({
      searched: indented(base.block, "\t"),
      replaced: indented(base.becomes, "\t"),
    }),
    "file nested deeper": (base) => ({
      block: deepen(base.block, "\t\t"),
      becomes: deepen(base.becomes, "\t\t"),
    }),
    "file nested deeper in CRLF": (base) => ({
      block: deepen(base.block, "  "),
      becomes: deepen(base.becomes, "  "),
      line_end: "\r\n",
    }),
  },
  "repeated blocks": {
    "all of them, as stated": (base) => {
      const twice = (block: readonly string[]) => [...block, "----", ...block];
      return { block: twice(base.block), becomes: twice(base.becomes), occurrences: 2 };
    },
    "told apart by the line before": (base) => ({
      head: [...base.head, ...base.block, "second:"],
      searched: ["second:", ...base.block],
      replaced: ["second:", ...base.becomes],
    }),
  },
};

function oneLine(base: Base): Variant | undefined {
  const all = [...base.head, ...base.block, ...base.tail];
  const at = base.block.findIndex((line) => line.trim().length > 3 && !base.becomes.includes(line));
  const line = base.block[at] ?? "";
  if (all.filter((other) => other.includes(line.trim())).length !== 1) return undefined;
  const made = base.becomes.find((other) => isNew(base, other)) ?? "";
  const becomes = base.block.map((other, index) => (index === at ? made : other));
  return { searched: [line], replaced: [made], becomes };
}

/** Lines that stay keep their blanks; a line that the edit changes has those of the edit. */
function blanksInFile(base: Base): Variant {
  const blanks = (line: string) =>
    base.becomes.includes(line) || base.block.includes(line) ? `${line} \t` : line;
  const block = base.block.map((line, index) => (index === 0 ? blanks(line) : line));
  const first = base.becomes[0] === base.block[0] ? block[0] : base.becomes[0];
  return { block, becomes: base.becomes.map((line, index) => (index === 0 ? (first ?? "") : line)) };
}

/** Changes one line of the block in the search text. */
const altered =
  (change: (line: string) => string): Make =>
  (base) => {
    const middle = base.block.findIndex(
      (line, index) => index > 0 && index < base.block.length - 1 && change(line) !== line,
    );
    const at = middle >= 0 ? middle : base.block.findIndex((line) => change(line) !== line);
    return at < 0
      ? undefined
      : { searched: base.block.map((line, index) => (index === at ? change(line) : line)) };
  };

/** A block like this one, which is not meant. */
function likeIt(base: Base): string[] {
  const at = base.block.findIndex((line, index) => index > 0 && /[a-z]{3}/.test(line));
  return base.block.map((line, index) =>
    index === at ? line.replace(/[a-z]{3,}/, (word) => `${word}s`) : line,
  );
}

const REFUSED: Record<string, Record<string, Make>> = {
  "near misses": {
    "a word differs": altered((line) => line.replace(/[a-z]{4,}/, (word) => `${word.slice(0, -1)}x`)),
    "a digit differs": altered((line) => line.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))),
    "case differs": altered((line) => line.replace(/[a-z]{3,}/, (word) => word.toUpperCase())),
    "quotes differ": altered((line) => line.replaceAll('"', "'")),
    "a blank is doubled": altered((line) => line.replace(/(\S) (\S)/, "$1  $2")),
    "a blank is missing": altered((line) => line.replace(/(\S) (\S)/, "$1$2")),
    "a line is missing": (base) => ({ searched: base.block.filter((_, index) => index !== 1) }),
    "a line is invented": (base) => ({ searched: base.block.toSpliced(1, 0, "invented();") }),
    "two lines are swapped": (base) => ({
      searched: [base.block[1] ?? "", base.block[0] ?? "", ...base.block.slice(2)],
    }),
    "blank lines are left out": (base) => {
      const searched = base.block.filter((line) => line !== "");
      return searched.length === base.block.length ? undefined : { searched };
    },
    "dots for what is left out": (base) => ({
      searched: [base.block[0] ?? "", "...", base.block.at(-1) ?? ""],
    }),
    "only first and last line are right": (base) => ({
      searched: base.block.map((line, index) =>
        index > 0 && index < base.block.length - 1 ? "else();" : line,
      ),
    }),
    "it is the result already": (base) => ({ block: base.becomes }),
    "line breaks are escaped": (base) => ({ searched: [base.block.join("\\n")] }),
  },
  "uneven indentation": {
    "of one line": altered((line) => (/^[ \t]/.test(line) ? `${line.charAt(0)}${line}` : line)),
    "blanks for tabs or tabs for blanks": (base) => {
      const other = (line: string) =>
        line.replace(/^[ \t]+/, (blanks) =>
          blanks.includes("\t") ? blanks.replaceAll("\t", "    ") : blanks.replaceAll("  ", "\t"),
        );
      const searched = base.block.map(other);
      return searched.join() === base.block.join() ? undefined : { searched };
    },
    "none at all": (base) => {
      const searched = base.block.map((line) => line.trim());
      const indents = new Set(
        base.block.filter((line) => line !== "").map((line) => /^[ \t]*/.exec(line)?.[0]),
      );
      return indents.size === 1 ? undefined : { searched };
    },
  },
  "unclear places": {
    "two of them, the second is meant": (base) => ({ head: [...base.head, ...base.block, "----"] }),
    "two of them, the first is meant": (base) => ({ tail: ["----", ...base.block, ...base.tail] }),
    "two of them with trailing blanks, the second is meant": (base) => {
      const blank = base.block.map((line) => `${line}  `);
      return {
        head: [...base.head, ...blank, "----"],
        block: blank,
        becomes: base.becomes.map((line) => (isNew(base, line) ? line : `${line}  `)),
      };
    },
    "two of them at other depths": (base) => ({
      head: [...base.head, ...indented(base.block, "      "), "----"],
      block: indented(base.block, "   "),
      becomes: indented(base.becomes, "   "),
      searched: indented(base.block, "         "),
      replaced: indented(base.becomes, "         "),
    }),
    "one, but two are stated": () => ({ occurrences: 2 }),
  },
  "like blocks": {
    "the one meant has changed since": (base) => {
      const changed = base.block.map((line, index) => (index === 1 ? `${line} // changed` : line));
      const becomes = base.becomes.map((line, index) => (index === 1 ? `${line} // changed` : line));
      return { head: [...base.head, ...likeIt(base), "----"], block: changed, becomes };
    },
    "the one meant is gone": (base) => ({ block: likeIt(base), becomes: likeIt(base) }),
  },
};

/** Every case: each way of each group, of every file, in whole lines and within lines. */
export function editCases(): EditCase[] {
  const cases: EditCase[] = [];
  for (const [groups, applies] of [
    [APPLIED, true],
    [REFUSED, false],
  ] as const) {
    for (const [group, ways] of Object.entries(groups)) {
      for (const [name, make] of Object.entries(ways)) {
        for (const base of BASES) {
          const variant = make(base);
          if (variant === undefined) continue;
          for (const whole_lines of variant.only_whole_lines ? [true] : [true, false])
            cases.push(caseOf(group, name, base, variant, whole_lines, applies));
        }
      }
    }
  }
  return cases.filter((one) => one.search !== "");
}
