import { describe, expect, it } from "vitest";
import type { AnsweredEdit } from "#schemas/edits.ts";
import { edited, editedFile, replacing } from "#test/fakes/edited-tree.ts";

const BOM = "\uFEFF";
const lines = { whole_lines: true } as const;

describe("a search text", () => {
  it.each<[string, string, AnsweredEdit, string]>([
    ["that occurs once is replaced", "a\nb\nc\n", replacing("b", "x"), "a\nx\nc\n"],
    [
      "may begin and end within a line",
      "let a = f(1, 2);\n",
      replacing("f(1,", "g(1,"),
      "let a = g(1, 2);\n",
    ],
    ["may be deleted", "a\nb\nc\n", replacing("b\n", ""), "a\nc\n"],
    ["may be grown", "a\n", replacing("a\n", "a\nb\n"), "a\nb\n"],
    ["may be at the end of a file without a line end", "a\nb", replacing("b", "c\nd"), "a\nc\nd"],
    ["is not a pattern", "a.c\nabc\n", replacing("a.c", "$& $1"), "$& $1\nabc\n"],
    ["is not a pattern either", "x(\n", replacing("x(", "\\x"), "\\x\n"],
    [
      "may be as often as the edit says",
      "a b a\na\n",
      replacing("a", "xx", { occurrences: 3 }),
      "xx b xx\nxx\n",
    ],
    ["in Unicode", "größe = 'ß😀'\n", replacing("😀", "é́"), "größe = 'ßé́'\n"],
    ["of half a character is refused", "\u{1F600}\n", replacing("\ud83d", "\ud83c"), "EDIT_FILE_NOT_TEXT"],
    ["is not normalised", "cafe\u0301 = 1\n", replacing("café = 1", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["that is not there is refused", "a\nb\n", replacing("c", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["in another case is refused", "Foo()\n", replacing("foo()", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["that occurs twice is refused", "a\nb\na\n", replacing("a", "x"), "EDIT_SEARCH_AMBIGUOUS"],
    [
      "that occurs less often than stated is refused",
      "a\nb\n",
      replacing("a", "x", { occurrences: 2 }),
      "EDIT_SEARCH_AMBIGUOUS",
    ],
    ["that overlaps itself is refused", "aaa\n", replacing("aa", "x"), "EDIT_SEARCH_AMBIGUOUS"],
    [
      "that overlaps itself is refused, as often as stated too",
      "aaa\n",
      replacing("aa", "x", { occurrences: 2 }),
      "EDIT_SEARCH_AMBIGUOUS",
    ],
    ["that is empty is refused", "a\n", replacing("", "x"), "EDIT_FILE_EXISTS"],
    ["that is a byte order mark is refused", `${BOM}a\n`, replacing(BOM, "x"), "EDIT_FILE_EXISTS"],
    ["equal to the replacement is refused", "a\nb\n", replacing("a", "a"), "EDIT_CHANGES_NOTHING"],
    [
      "equal to the replacement but for line ends is refused",
      "a\nb\n",
      replacing("a\nb", "a\r\nb"),
      "EDIT_CHANGES_NOTHING",
    ],
    ["with a line left out is refused", "a\nb\nc\n", replacing("a\nc", "x"), "EDIT_SEARCH_NOT_FOUND"],
    [
      "with dots for what was left out is refused",
      "a\nb\nc\n",
      replacing("a\n...\nc", "x"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "with a blank too many in a line is refused",
      "a = 1;\n",
      replacing("a  = 1;", "x"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    ["with other quotes is refused", "f('a')\n", replacing('f("a")', "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["with a blank line too many is refused", "a\nb\n", replacing("a\n\nb", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["with a blank line too few is refused", "a\n\nb\n", replacing("a\nb", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["of blanks only is found as it is", "a b\n", replacing(" ", ""), "ab\n"],
    ["of blanks only is not looked for loosely", "a\n\nb\n", replacing("  \n", "x"), "EDIT_SEARCH_NOT_FOUND"],
  ])("%s", async (_, text, edit, expected) => {
    expect(await editedFile(text, edit)).toBe(expected);
  });
});

describe("line ends, byte order mark and trailing blanks", () => {
  it.each<[string, string, AnsweredEdit, string]>([
    [
      "CRLF is found by LF and kept",
      "a\r\nb\r\nc\r\n",
      replacing("a\nb\n", "x\ny\nz\n"),
      "x\r\ny\r\nz\r\nc\r\n",
    ],
    ["CRLF is kept when one line becomes several", "a\r\nb\r\n", replacing("b", "x\ny"), "a\r\nx\r\ny\r\n"],
    ["LF is found by CRLF and kept", "a\nb\nc\n", replacing("a\r\nb\r\n", "x\r\ny\r\n"), "x\ny\nc\n"],
    [
      "a part of two lines of CRLF",
      "f(a,\r\n  b);\r\n",
      replacing("(a,\n  b)", "(b,\n  a)"),
      "f(b,\r\n  a);\r\n",
    ],
    [
      "every line of a mixed file keeps its own",
      "a\r\nb\nc\r\n",
      replacing("a\nb\nc", "a\nx\nc"),
      "a\r\nx\nc\r\n",
    ],
    [
      "a new line of a mixed file takes the one before it",
      "a\nb\r\nc\n",
      replacing("b\n", "b\nx\n"),
      "a\nb\r\nx\r\nc\n",
    ],
    ["at the end of a CRLF file without the last one", "a\r\nb", replacing("b", "b\nc"), "a\r\nb\r\nc"],
    ["at the end of a file without one", "a\nb", replacing("a\nb\n", "x\ny\n"), "x\ny"],
    [
      "CRLF is kept when the search text ends in its first half",
      "a\r\nb\r\n",
      replacing("a\r", "x"),
      "x\r\nb\r\n",
    ],
    [
      "CRLF is kept when both texts end in its first half",
      "a\r\nb\r\n",
      replacing("a\r", "x\r"),
      "x\r\nb\r\n",
    ],
    [
      "CRLF is kept when the search text begins with its second half",
      "a\r\nb\r\n",
      replacing("\nb", "\nc\nd"),
      "a\r\nc\r\nd\r\n",
    ],
    ["CRLF is taken out as a whole", "a\r\nb\r\n", replacing("\nb", " b"), "a b\r\n"],
    ["CRLF is no search text by halves", "a\r\n", replacing("\r", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["a byte order mark stays", `${BOM}a\nb\n`, replacing("a", "x"), `${BOM}x\nb\n`],
    [
      "a byte order mark in the search text is overlooked",
      "a\nb\n",
      replacing(`${BOM}a`, `${BOM}x`),
      "x\nb\n",
    ],
    ["a byte order mark is not doubled", `${BOM}a\n`, replacing(`${BOM}a`, `${BOM}x`), `${BOM}x\n`],
    ["a byte order mark is not added", "a\n", replacing("a", `${BOM}x`), "x\n"],
    ["trailing blanks of the file", "a  \nb\t\nc\n", replacing("a\nb\nc", "a\nx\nc"), "a  \nx\nc\n"],
    ["trailing blanks of the search text", "a\nb\n", replacing("a  \nb \n", "x\n"), "x\n"],
    ["trailing blanks on blank lines", "a\n    \nb\n", replacing("a\n\nb", "a\n\nx"), "a\n    \nx\n"],
    [
      "trailing blanks are kept on lines that stay, between changed ones",
      "a\nkeep  \nb\n",
      replacing("a\nkeep\nb\n", "x\nkeep\ny\n"),
      "x\nkeep  \ny\n",
    ],
    [
      "trailing blanks in the middle of a line are none",
      "foobar\n",
      replacing("foo ", "x"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    ["trailing blanks can be taken out", "a  \nb\n", replacing("a  \n", "a\n"), "a\nb\n"],
    [
      "an exact match is taken before a loose one",
      "a \nb\n--\na\nb\n",
      replacing("a\nb", "x"),
      "a \nb\n--\nx\n",
    ],
    ["two loose matches are refused", "a \nb\n--\na \nb\n", replacing("a\nb", "x"), "EDIT_SEARCH_AMBIGUOUS"],
    ["a lone carriage return is no line end", "a\rb\n", replacing("a\nb", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["a lone carriage return stays", "a\rb\nc\n", replacing("c", "x"), "a\rb\nx\n"],
    [
      "vertical tabs and other spaces are no line ends or blanks",
      "a\u00a0\nb\n",
      replacing("a\nb", "x"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "two of three places in CRLF",
      "a\r\nb\r\n-\r\na\nb\n",
      replacing("a\nb\n", "x\n", { occurrences: 2 }),
      "x\r\n-\r\nx\n",
    ],
  ])("%s", async (_, text, edit, expected) => {
    expect(await editedFile(text, edit)).toBe(expected);
  });

  it("are told as what had to be overlooked", async () => {
    const { outcome } = await edited({ f: "a\r\nb\r\n" }, [replacing("a\nb\n", "x\n")]);
    expect(outcome.accepted).toEqual([
      { number: 1, kind: "replace", path: "f", lines: [1], tolerances: ["line_ends_and_trailing_blanks"] },
    ]);
    const exact = await edited({ f: "z\na\nb\n" }, [replacing("a\nb\n", "x\n")]);
    expect(exact.outcome.accepted).toMatchObject([{ lines: [2], tolerances: [] }]);
  });
});

describe("indentation", () => {
  it.each<[string, string, AnsweredEdit, string]>([
    [
      "too small everywhere moves the replacement too",
      "  if a:\n    b\n  c\n",
      replacing("if a:\n  b\n", "if x:\n  y\n\n  z\n", lines),
      "  if x:\n    y\n\n    z\n  c\n",
    ],
    [
      "too large everywhere moves the replacement too",
      "if a:\n  b\n",
      replacing("    if a:\n      b\n", "    if x:\n      y\n"),
      "if x:\n  y\n",
    ],
    ["of a lone line", "  a();\n", replacing("      a();", "      b();\n      c();"), "  b();\n  c();\n"],
    [
      "of tabs",
      "\t\tif (a) {\n\t\t\tb();\n\t\t}\n",
      replacing("if (a) {\n\tb();\n}\n", "if (a) {\n\tc();\n}\n", lines),
      "\t\tif (a) {\n\t\t\tc();\n\t\t}\n",
    ],
    [
      "of a tab before blanks",
      "\t  a\n\t    b\n",
      replacing("  a\n    b\n", "  x\n    y\n", lines),
      "\t  x\n\t    y\n",
    ],
    [
      "together with line ends",
      "  a\r\n    b\r\n",
      replacing("a\n  b\n", "x\n  y\n", lines),
      "  x\r\n    y\r\n",
    ],
    ["with blank lines", "  a\n\n  b\n", replacing("a\n\nb\n", "a\n\nx\n", lines), "  a\n\n  x\n"],
    [
      "that is off on one line only is refused",
      "  a\n      b\n",
      replacing("a\n  b\n", "x\n", lines),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "of blanks for tabs is refused",
      "\ta\n\t\tb\n",
      replacing("    a\n        b\n", "x\n"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "of a lone line in blanks for tabs is refused",
      "\ta\n",
      replacing("    a\n", "    x\n"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "at two places is refused",
      "  a();\n    a();\n",
      replacing("      a();\n", "      b();\n"),
      "EDIT_SEARCH_AMBIGUOUS",
    ],
    [
      "that differs between two places is refused",
      "  a();\n    a();\n",
      replacing("      a();\n", "      b();\n", { occurrences: 2 }),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "that is the same at two places",
      "  a();\nx\n  a();\n",
      replacing("    a();\n", "    b();\n", { occurrences: 2 }),
      "  b();\nx\n  b();\n",
    ],
    [
      "that the replacement lacks is refused",
      "  a\n    b\n",
      replacing("      a\n        b\n", "  x\n"),
      "EDIT_SEARCH_NOT_FOUND",
    ],
    [
      "too small on a lone line is not left to its first line",
      "if a:\n        b()\n",
      replacing("    b()", "    c()\n    d()"),
      "if a:\n        c()\n        d()\n",
    ],
    [
      "too small on a part of a line is none",
      "    f(a, b)\n",
      replacing("  f(a,", "  g(\na,"),
      "    g(\na, b)\n",
    ],
    ["of the first of two lines is none", "    a\nb\n", replacing("  a\nb", "  x\ny\nz"), "    x\ny\nz\n"],
    [
      "without blanks on a lone line is none",
      "    a()\n",
      replacing("a()", "b()\n    c()"),
      "    b()\n    c()\n",
    ],
    ["is not overlooked within a line", "a  b\n", replacing("a b", "x"), "EDIT_SEARCH_NOT_FOUND"],
    ["that is the same is not overlooked in whole lines", "  a\n", replacing("a\n", "x\n", lines), "  x\n"],
  ])("%s", async (_, text, edit, expected) => {
    expect(await editedFile(text, edit)).toBe(expected);
  });

  it("is told as what had to be overlooked", async () => {
    const { outcome } = await edited({ f: "  a\n" }, [replacing("a\n", "b\n", lines)]);
    expect(outcome.accepted[0]?.tolerances).toContain("indentation");
  });
});

describe("whole lines", () => {
  it.each<[string, string, AnsweredEdit, string]>([
    ["do not match within a line", "xa\n", replacing("a\n", "b\n", lines), "EDIT_SEARCH_NOT_FOUND"],
    ["do not match the beginning of a line", "ab\n", replacing("a\n", "b\n", lines), "EDIT_SEARCH_NOT_FOUND"],
    ["tell a line from a longer one", "a\nab\nba\n", replacing("a\n", "x\n", lines), "x\nab\nba\n"],
    ["at the end of a file keep its missing line end", "a\nb", replacing("b\n", "c\nd\n", lines), "a\nc\nd"],
    ["can add after the last line", "a\nb", replacing("b\n", "b\nc\n", lines), "a\nb\nc"],
    ["can take the last line away", "a\nb", replacing("a\nb\n", "a\n", lines), "a"],
    ["can take all away", "a\nb", replacing("a\nb\n", "", lines), ""],
    ["can add a line end at the end of the file", "a\nb", replacing("b", "b\n", lines), "a\nb\n"],
    ["can take the line end at the end of the file away", "a\nb\n", replacing("b\n", "b", lines), "a\nb"],
    ["never join the line after them", "a\nb\n", replacing("a", "x", lines), "x\nb\n"],
  ])("%s", async (_, text, edit, expected) => {
    expect(await editedFile(text, edit)).toBe(expected);
  });
});
