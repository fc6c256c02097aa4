import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyEdits, NOTHING_SHOWN } from "#lib/code/edits/apply-edits.ts";
import { EDIT_LIMITS } from "#lib/code/edits/edit-limits.ts";
import { showFile } from "#lib/code/edits/show-file.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";
import { inTree } from "#test/fakes/diff-tree.ts";
import { asBytes, bytesByPath, edited, editedFile, replacing, showAll } from "#test/fakes/edited-tree.ts";

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

describe("files", () => {
  const write = (path: string, content: string, more = {}): AnsweredEdit => ({
    kind: "write",
    path,
    content,
    ...more,
  });
  const remove = (path: string, content?: string): AnsweredEdit => ({
    kind: "delete",
    path,
    ...(content === undefined ? {} : { content }),
  });
  const move = (path: string, new_path: string): AnsweredEdit => ({ kind: "rename", path, new_path });

  it("are made, replaced, deleted and renamed, in the order given", async () => {
    const { tree, codes, outcome } = await edited({ "a/x": "x\n", "a/y": "y\n", z: "z\n" }, [
      write("new/deep/n", "n\n"),
      replacing("n", "m", { path: "new/deep/n" }),
      remove("a/x"),
      move("a/y", "b/y"),
      replacing("y", "Y", { path: "b/y" }),
      write("z", "zz\n"),
      replacing("", "e\n", { path: "./e" }),
      remove("e"),
      write("e", "again\n"),
    ]);
    expect(codes).toEqual([]);
    expect(tree).toEqual({ "new/deep/n": "m\n", "b/y": "Y\n", z: "zz\n", e: "again\n" });
    expect(outcome.accepted.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(outcome.accepted[3]).toMatchObject({ kind: "rename", path: "a/y", new_path: "b/y" });
  });

  it("may take the place of a directory and the other way round", async () => {
    const swapped = await edited({ "a/x": "x\n", b: "b\n" }, [
      remove("a/x"),
      write("a", "a\n"),
      remove("b"),
      write("b/c", "c\n"),
    ]);
    expect(swapped).toMatchObject({ codes: [], tree: { a: "a\n", "b/c": "c\n" } });
    const taken = await edited({ "a/x": "x\n", "a/y": "y\n", b: "b\n" }, [
      remove("a/x"),
      write("a", "a\n"),
      write("b/c", "c\n"),
      write("n", "n"),
      write("n/m", "m"),
    ]);
    expect(taken.codes).toEqual(["EDIT_FILE_EXISTS", "EDIT_FILE_EXISTS", "EDIT_FILE_EXISTS"]);
    expect(taken.tree).toEqual({ "a/y": "y\n", b: "b\n", n: "n" });
  });

  it("keep line ends and byte order mark when they are replaced whole", async () => {
    const { tree, codes } = await edited({ crlf: `${BOM}a\r\nb\r\n`, mixed: "a\r\nb\nc\n", none: "a" }, [
      write("crlf", "a\nx\nb\n"),
      write("mixed", "a\nb\nx\nc\n"),
      write("none", "b\n"),
    ]);
    expect(codes).toEqual([]);
    expect(tree).toEqual({ crlf: asBytes(`${BOM}a\r\nx\r\nb\r\n`), mixed: "a\r\nb\nx\nc\n", none: "b\n" });
  });

  it("keep the mode that they have, and a new one is what it is said to be", async () => {
    await inTree({ run: "#!/bin/sh\na\n" }, async (directory) => {
      await chmod(join(directory, "run"), 0o755);
      await applyEdits(
        directory,
        [
          replacing("a", "b", { path: "run" }),
          write("tool", "t\n", { executable: true }),
          write("plain", "p\n"),
          move("run", "moved"),
        ],
        await showAll(directory),
      );
      const modes = await Promise.all(
        ["moved", "tool", "plain"].map(async (path) => (await stat(join(directory, path))).mode & 0o777),
      );
      expect(modes).toEqual([0o755, 0o755, 0o644]);
    });
  });

  it.each<[string, AnsweredEdit, string]>([
    ["that are missing", replacing("a", "b", { path: "gone" }), "EDIT_FILE_MISSING"],
    ["that are directories", replacing("a", "b", { path: "d" }), "EDIT_FILE_MISSING"],
    ["that are there and were to be made", write("f", "x\n", { is_new: true }), "EDIT_FILE_EXISTS"],
    ["that would take a directory's place", write("d", "x\n"), "EDIT_FILE_EXISTS"],
    ["below a file", write("f/x", "x\n"), "EDIT_FILE_EXISTS"],
    ["that stay the same", write("f", "a\n"), "EDIT_CHANGES_NOTHING"],
    ["that stay the same but for line ends", write("f", "a\r\n"), "EDIT_CHANGES_NOTHING"],
    ["renamed onto another", move("f", "d/g"), "EDIT_FILE_EXISTS"],
    ["renamed onto themselves", move("f", "./f"), "EDIT_CHANGES_NOTHING"],
    ["deleted with other lines than they have", remove("f", "b\n"), "EDIT_SEARCH_NOT_FOUND"],
    ["with a NUL", write("n", "a\0b"), "EDIT_FILE_NOT_TEXT"],
    ["with half a surrogate pair", write("n", "a\ud800b"), "EDIT_FILE_NOT_TEXT"],
    ["with half a surrogate pair put in", replacing("a", "\udc00"), "EDIT_FILE_NOT_TEXT"],
    ["that are binary", replacing("a", "b", { path: "binary" }), "EDIT_FILE_NOT_TEXT"],
    ["that are not UTF-8", replacing("a", "b", { path: "latin1" }), "EDIT_FILE_NOT_TEXT"],
    ["that are not UTF-8, replaced whole", write("latin1", "b\n"), "EDIT_FILE_NOT_TEXT"],
    ["that are binary, deleted", remove("binary"), "EDIT_FILE_NOT_TEXT"],
    ["that are UTF-16", replacing("a", "b", { path: "utf16" }), "EDIT_FILE_NOT_TEXT"],
  ])("%s are refused", async (_, edit, code) => {
    const texts = {
      f: "a\n",
      "d/g": "g\n",
      binary: Buffer.from([0x61, 0, 0x62]),
      latin1: Buffer.from([0x61, 0xe4, 0x0a]),
      utf16: Buffer.from("\uFEFFa\n", "utf16le"),
    };
    const { codes, tree } = await edited(texts, [edit]);
    expect(codes).toEqual([code]);
    expect(tree).toEqual(
      Object.fromEntries(
        Object.entries(texts)
          .map(([path, text]) => [path, Buffer.from(text).toString("latin1")])
          .sort(),
      ),
    );
  });

  it("are deleted when the listed lines are theirs but for line ends", async () => {
    const { codes, tree } = await edited({ f: "a\r\nb", g: "" }, [remove("f", "a\nb\n")]);
    expect(codes).toEqual([]);
    expect(tree).toEqual({ g: "" });
  });

  it.each([
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "",
    ".",
    "a/",
    ".git/config",
    ".GIT/config",
    "sub/.git/hooks/x",
    ".git./config",
    ".git /config",
    ".git. . /x",
    "GIT~1/config",
    ".git::$INDEX_ALLOCATION/x",
    ".g\u200cit/config",
    "a\nb",
    "a\0b",
    "\ud800",
    "x".repeat(300),
    ".git",
    ".Git",
    "./../x",
    "..",
    "a/..",
  ])("at %j are refused", async (path) => {
    for (const edit of [
      write(path, "x\n"),
      replacing("a", "b", { path }),
      remove(path),
      move("f", path),
      replacing("", "x", { path }),
    ]) {
      const { codes, tree } = await edited({ f: "a\n" }, [edit]);
      expect(codes).toEqual(["EDIT_PATH_UNSAFE"]);
      expect(tree).toEqual({ f: "a\n" });
    }
  });

  it("are never reached through a link", async () => {
    const links = { link: "f", dir: "d", out: "../outside", "d/up": ".." };
    for (const path of ["link", "dir/g", "dir/new", "out/x", "out", "d/up/f", "d/up/new"]) {
      for (const edit of [write(path, "x\n"), replacing("a", "b", { path }), remove(path), move("f", path)]) {
        const { codes } = await edited({ f: "a\n", "d/g": "a\n" }, [edit], { links });
        expect(codes, path).toEqual(["EDIT_PATH_UNSAFE"]);
      }
    }
  });

  it("that are too large are refused, before and after an edit", async () => {
    const limits = { ...EDIT_LIMITS, file_bytes_max: 10, written_bytes_max: 25 };
    const { codes, tree } = await edited(
      { f: "a\n", big: "b".repeat(11) },
      [
        replacing("b", "c", { path: "big" }),
        replacing("a", "ä".repeat(5)),
        write("n1", "1".repeat(10)),
        write("n2", "2".repeat(10)),
        write("n3", "3".repeat(10)),
      ],
      { limits },
    );
    expect(codes).toEqual(["EDIT_TOO_LARGE", "EDIT_TOO_LARGE", "EDIT_TOO_LARGE"]);
    expect(Object.keys(tree)).toEqual(["big", "f", "n1", "n2"]);
  });

  it("beyond the number of edits are refused", async () => {
    const { codes, tree, outcome } = await edited(
      { f: "a\n" },
      [write("1", "1"), write("2", "2"), write("3", "3")],
      {
        limits: { ...EDIT_LIMITS, edits_max: 2 },
      },
    );
    expect(codes).toEqual(["EDIT_TOO_LARGE"]);
    expect(outcome.refused[0]?.number).toBe(3);
    expect(tree).toEqual({ 1: "1", 2: "2", f: "a\n" });
  });

  it("named as what every object has are files like others", async () => {
    const { codes, tree } = await edited({ constructor: "a\n" }, [
      write("__proto__", "x\n"),
      replacing("a", "b", { path: "constructor" }),
    ]);
    expect(codes).toEqual([]);
    expect(Object.keys(tree).sort()).toEqual(["__proto__", "constructor"]);
    expect(tree.constructor).toBe("b\n");
  });
});

describe("what was shown", () => {
  const show = (directory: string, path: string, state = NOTHING_SHOWN, options = {}) =>
    showFile(directory, path, state, options);
  const stateOf = async (directory: string, path: string, options = {}) => {
    const shown = await show(directory, path, NOTHING_SHOWN, options);
    if (shown.kind !== "shown") throw new Error(shown.message);
    return shown.state;
  };

  it("is needed to edit a file that is there", async () => {
    await inTree({ f: "a\n" }, async (directory) => {
      for (const edit of [
        replacing("a", "b"),
        { kind: "write", path: "f", content: "x" },
        { kind: "delete", path: "f" },
        { kind: "rename", path: "f", new_path: "g" },
      ] as AnsweredEdit[]) {
        const { refused } = await applyEdits(directory, [edit], NOTHING_SHOWN);
        expect(refused).toMatchObject([{ code: "EDIT_FILE_NOT_SHOWN", path: "f" }]);
      }
      expect(await bytesByPath(directory)).toEqual({ f: "a\n" });
    });
  });

  it("must not have changed since", async () => {
    await inTree({ f: "a\n" }, async (directory) => {
      const state = await stateOf(directory, "f");
      await writeFile(join(directory, "f"), "a\n\n");
      for (const edit of [
        replacing("a", "b"),
        { kind: "write", path: "f", content: "x" },
        { kind: "delete", path: "f" },
      ] as AnsweredEdit[]) {
        const { refused } = await applyEdits(directory, [edit], state);
        expect(refused).toMatchObject([{ code: "EDIT_FILE_CHANGED" }]);
      }
      expect(await bytesByPath(directory)).toEqual({ f: "a\n\n" });
      const again = await stateOf(directory, "f");
      expect((await applyEdits(directory, [replacing("a", "b")], again)).refused).toEqual([]);
    });
  });

  it("follows the edits of the conversation", async () => {
    await inTree({ f: "a\n" }, async (directory) => {
      const first = await applyEdits(
        directory,
        [replacing("a", "b"), replacing("b", "c")],
        await stateOf(directory, "f"),
      );
      expect(first.refused).toEqual([]);
      const second = await applyEdits(
        directory,
        [replacing("c", "d"), { kind: "write", path: "f", content: "e\n" }],
        first.state,
      );
      expect(second.refused).toEqual([]);
      expect(await bytesByPath(directory)).toEqual({ f: "e\n" });
      const stale = await applyEdits(directory, [replacing("e", "f")], first.state);
      expect(stale.refused).toMatchObject([{ code: "EDIT_FILE_CHANGED" }]);
    });
  });

  it("must be the whole file for it to be replaced whole, in one part or several", async () => {
    await inTree({ f: "1\n2\n3\n4\n" }, async (directory) => {
      const write: AnsweredEdit = { kind: "write", path: "f", content: "x\n" };
      const part = await show(directory, "f", NOTHING_SHOWN, { lines_max: 2 });
      if (part.kind !== "shown") throw new Error("not shown");
      expect(part).toMatchObject({ text: "1\n2\n", from_line: 1, to_line: 2, lines_total: 4 });
      expect((await applyEdits(directory, [write], part.state)).refused).toMatchObject([
        { code: "EDIT_FILE_NOT_SHOWN" },
      ]);
      expect((await applyEdits(directory, [replacing("4", "4!")], part.state)).refused).toEqual([]);
      const begin = await stateOf(directory, "f", { lines_max: 2 });
      const rest = await show(directory, "f", begin, { from_line: 3 });
      if (rest.kind !== "shown") throw new Error("not shown");
      expect(rest.text).toBe("3\n4!\n");
      expect((await applyEdits(directory, [write], rest.state)).refused).toEqual([]);
    });
  });

  it("has line feeds and no byte order mark, and line numbers where they are wanted", async () => {
    await inTree({ f: `${BOM}a\r\n  b` }, async (directory) => {
      expect(await show(directory, "f")).toMatchObject({ text: "a\n  b\n", to_line: 2 });
      expect(await show(directory, "f", NOTHING_SHOWN, { numbered: true, from_line: 2 })).toMatchObject({
        text: "     2|   b\n",
      });
      expect(await show(directory, "f", NOTHING_SHOWN, { characters_max: 3 })).toMatchObject({
        text: "a\n",
        to_line: 1,
        lines_total: 2,
      });
      expect(await show(directory, "f", NOTHING_SHOWN, { from_line: 9 })).toMatchObject({
        text: "",
        to_line: 8,
      });
    });
  });

  it("is refused for what cannot be edited", async () => {
    await inTree(
      { f: "a\n", b: Buffer.from([0]), l: Buffer.from([0xff]) },
      async (directory) => {
        const codes = await Promise.all(
          ["b", "l", "gone", "../f", "link", ".git/x"].map(async (path) => {
            const shown = await show(directory, path);
            return shown.kind === "refused" ? shown.code : shown.text;
          }),
        );
        expect(codes).toEqual([
          "EDIT_FILE_NOT_TEXT",
          "EDIT_FILE_NOT_TEXT",
          "EDIT_FILE_MISSING",
          "EDIT_PATH_UNSAFE",
          "EDIT_PATH_UNSAFE",
          "EDIT_PATH_UNSAFE",
        ]);
        const limits = { ...EDIT_LIMITS, file_bytes_max: 1 };
        expect(await showFile(directory, "f", NOTHING_SHOWN, {}, limits)).toMatchObject({
          code: "EDIT_TOO_LARGE",
        });
      },
      { link: "f" },
    );
  });
});

describe("refused edits", () => {
  it("stop no other edit, and only they are given back", async () => {
    const { tree, outcome } = await edited({ f: "a\nb\n", g: "g\n" }, [
      replacing("a", "x"),
      replacing("nowhere", "y"),
      replacing("g", "G", { path: "g" }),
    ]);
    expect(tree).toEqual({ f: "x\nb\n", g: "G\n" });
    expect(outcome.accepted.map(({ number }) => number)).toEqual([1, 3]);
    expect(outcome.refused.map(({ number, code }) => [number, code])).toEqual([[2, "EDIT_SEARCH_NOT_FOUND"]]);
  });

  it("come with the nearest lines", async () => {
    const text = `${Array.from({ length: 50 }, (_, index) => `line ${index + 1}`).join("\n")}\nfunction greet(name) {\n  return "hello, " + name;\n}\nend\n`;
    const { outcome } = await edited({ f: text }, [
      replacing('function greet(name) {\n  return "hi, " + name;\n}\n', "x"),
      replacing("  return `hello`;\n", "x"),
      replacing("line 1", "x"),
      replacing("%%%", "x"),
    ]);
    const [by_lines, by_words, places, none] = outcome.refused;
    expect(by_lines?.nearby).toEqual([
      {
        from_line: 49,
        lines: ["line 49", "line 50", "function greet(name) {", '  return "hello, " + name;', "}", "end"],
      },
    ]);
    expect(by_words?.nearby[0]?.lines).toContain('  return "hello, " + name;');
    expect(places?.message).toMatch(/occurs 11 times in "f" \(line 1, 10, 11, .*…\)/);
    expect(places?.nearby).toHaveLength(4);
    expect(places?.nearby[0]).toEqual({ from_line: 1, lines: ["line 1", "line 2", "line 3"] });
    expect(none?.nearby).toEqual([]);
  });

  it("that have line numbers in them are told so", async () => {
    const { outcome } = await edited({ f: "a\nb\n" }, [replacing("     1| a\n     2| b\n", "x\n")]);
    expect(outcome.refused[0]?.message).toContain("line numbers");
  });

  it("ask for the whole file after three of them on a file, until that came", async () => {
    await inTree({ f: "a\n", g: "g\n" }, async (directory) => {
      const wrong = replacing("no", "x");
      const one = await applyEdits(
        directory,
        [wrong, replacing("no", "x", { path: "g" })],
        await showAll(directory),
      );
      const two = await applyEdits(directory, [wrong], one.state);
      expect([one, two].map(({ whole_files_wanted }) => whole_files_wanted)).toEqual([[], []]);
      const three = await applyEdits(directory, [wrong], two.state);
      expect(three.whole_files_wanted).toEqual(["f"]);
      const four = await applyEdits(directory, [replacing("a", "b")], three.state);
      expect(four).toMatchObject({ refused: [], whole_files_wanted: [] });
      const whole = await applyEdits(
        directory,
        [{ kind: "write", path: "f", content: "c\n" }, wrong],
        four.state,
      );
      expect(whole).toMatchObject({ refused: [{ number: 2 }], whole_files_wanted: [] });
    });
  });

  it("of an answer without any edit have a code of their own", async () => {
    const { outcome } = await edited({ f: "a\n" }, []);
    expect(outcome).toMatchObject({ accepted: [], refused: [{ code: "EDITS_MISSING" }] });
  });

  it("that could not be read are among them, with their number", async () => {
    const { outcome, tree } = await edited({ f: "a\n" }, [
      { kind: "unreadable", path: "f", code: "EDIT_MALFORMED", message: "broken" },
      replacing("a", "b"),
    ]);
    expect(outcome.refused).toEqual([
      { number: 1, path: "f", code: "EDIT_MALFORMED", message: "broken", nearby: [] },
    ]);
    expect(tree).toEqual({ f: "b\n" });
  });
});

describe("writing", () => {
  it("puts everything back when one file cannot be written", async () => {
    await inTree({ "a/f": "a\n", g: "g\n", r: "r\n" }, async (root) => {
      // So deep that a path of legal length below it is longer than the system takes.
      const deep = join(root, ...Array.from({ length: 14 }, () => "d".repeat(200)));
      await mkdir(join(deep, "a"), { recursive: true });
      for (const [path, text] of [
        ["a/f", "a\n"],
        ["g", "g\n"],
      ] as const)
        await writeFile(join(deep, path), text);
      const long = Array.from({ length: 9 }, () => "x".repeat(200)).join("/");
      const edits: AnsweredEdit[] = [
        { kind: "delete", path: "a/f" },
        replacing("g", "G", { path: "g" }),
        { kind: "write", path: "new/file", content: "n\n" },
        { kind: "write", path: long, content: "l\n" },
      ];
      await expect(applyEdits(deep, edits, await showAll(deep))).rejects.toThrow(/ENAMETOOLONG/);
      expect(await bytesByPath(deep)).toEqual({ "a/f": "a\n", g: "g\n" });
      expect((await readdir(deep)).sort()).toEqual(["a", "g"]);
      expect(await readdir(dirname(deep)), "nothing is left beside the tree").toEqual(["d".repeat(200)]);
    });
  });

  it("leaves nothing beside the tree, and no empty directory of deleted files", async () => {
    await inTree({ "a/b/f": "a\n", g: "g\n" }, async (directory) => {
      await applyEdits(
        directory,
        [{ kind: "delete", path: "a/b/f" }, replacing("g", "h", { path: "g" })],
        await showAll(directory),
      );
      expect(await readdir(directory)).toEqual(["g"]);
      expect(await readdir(dirname(directory))).toEqual(["tree"]);
      expect(await readFile(join(directory, "g"), "utf8")).toBe("h\n");
    });
  });
});
