import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import {
  applied,
  B_TO_X,
  edit,
  expectRefused,
  inTree,
  lines,
  listing,
  numbers,
} from "#test/fakes/diff-tree.ts";

describe("applyDiff", () => {
  it("applies git's and plain headers alike", async () => {
    const expected = { f: lines("a", "x", "c") };
    const before = { f: lines("a", "b", "c") };
    const body = lines("@@ -1,3 +1,3 @@ function f() {", " a", "-b", "+x", " c");
    for (const header of [
      "--- a/f\n+++ b/f\n",
      "--- f\n+++ f\n",
      "--- old/f\t2026-01-01 00:00:00.000000000 +0000\n+++ new/f\t2026-01-02 00:00:00 +0000\n",
      "diff --git a/f b/f\nindex 1234567..89abcde 100644\n--- a/f\n+++ b/f\n",
      "diff --git f f\n--- f\n+++ f\n",
      'diff --git "a/f" b/f\n--- "a/f"\n+++ b/f\n',
      "From 1234 Mon Sep 17\nSubject: words\n\n- a list\n---\n f | 2 +-\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n",
    ]) {
      expect((await applied(before, header + body)).tree, header).toEqual(expected);
    }
    expect((await applied(before, `${B_TO_X}-- \n2.39.5\n\n`)).tree).toEqual(expected);
  });

  it("adds, deletes, renames, copies and changes modes", async () => {
    const diff = lines(
      "diff --git a/new.txt b/new.txt",
      "new file mode 100755",
      "--- /dev/null",
      "+++ b/new.txt",
      "@@ -0,0 +1,2 @@",
      "+one",
      "+two",
      "\\ No newline at end of file",
      "diff --git a/gone/f b/gone/f",
      "deleted file mode 100644",
      "--- a/gone/f",
      "+++ /dev/null",
      "@@ -1 +0,0 @@",
      "-bye",
      "diff --git a/from b/to/there",
      "similarity index 50%",
      "rename from from",
      "rename to to/there",
      "--- a/from",
      "+++ b/to/there",
      "@@ -1,2 +1,2 @@",
      " a",
      "-b",
      "+c",
      "diff --git a/kept b/copy",
      "copy from kept",
      "copy to copy",
      "diff --git a/kept b/kept",
      "old mode 100644",
      "new mode 100755",
      "diff --git a/empty b/empty",
      "new file mode 100644",
    );
    const before = { "gone/f": "bye\n", from: "a\nb\n", kept: "k" };
    await inTree(before, async (directory) => {
      expect(await applyDiff(directory, diff)).toEqual([
        { path: "copy", change: "added", insertions: 0, deletions: 0 },
        { path: "empty", change: "added", insertions: 0, deletions: 0 },
        { path: "gone/f", change: "deleted", insertions: 0, deletions: 1 },
        { path: "kept", change: "modified", insertions: 0, deletions: 0 },
        { path: "new.txt", change: "added", insertions: 2, deletions: 0 },
        { path: "to/there", change: "renamed", insertions: 1, deletions: 1 },
      ]);
      expect(await listing(directory)).toEqual({
        copy: "k",
        empty: "",
        kept: "k",
        "new.txt": "one\ntwo",
        "to/there": "a\nc\n",
      });
      expect((await stat(join(directory, "new.txt"))).mode & 0o777).toBe(0o755);
      expect((await stat(join(directory, "kept"))).mode & 0o777).toBe(0o755);
      await expect(stat(join(directory, "gone"))).rejects.toThrow("ENOENT");
    });
  });

  it("keeps the mode of a file it only edits", async () => {
    await inTree({ f: lines("a", "b", "c") }, async (directory) => {
      await chmod(join(directory, "f"), 0o755);
      await applyDiff(directory, B_TO_X);
      expect((await stat(join(directory, "f"))).mode & 0o777).toBe(0o755);
    });
  });

  it("reads quoted names with octal escapes, and names with blanks", async () => {
    const quoted = lines(
      '--- "a/\\303\\274 \\"q\\"\\\\.txt"',
      '+++ "b/\\303\\274 \\"q\\"\\\\.txt"',
      "@@ -1 +1 @@",
      "-a",
      "+b",
    );
    expect((await applied({ 'ü "q"\\.txt': "a\n" }, quoted)).tree).toEqual({ 'ü "q"\\.txt': "b\n" });
    const blanks = lines("diff --git a/x b/x b/x b/x", "old mode 100644", "new mode 100755");
    expect((await applied({ "x b/x": "a\n" }, blanks)).changes).toEqual([
      { path: "x b/x", change: "modified", insertions: 0, deletions: 0 },
    ]);
  });

  it("treats carriage returns and missing newlines as part of the line", async () => {
    const crlf = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+x\r\n";
    expect((await applied({ f: "a\r\nb\r\n" }, crlf)).tree).toEqual({ f: "a\r\nx\r\n" });
    await expectRefused({ f: "a\nb\n" }, crlf, "DIFF_DOES_NOT_APPLY", /should be "a\\r\\n" but is "a\\n"/);
    const ended = edit("f", "@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a");
    expect((await applied({ f: "a" }, ended)).tree).toEqual({ f: "a\n" });
    await expectRefused({ f: "a\n" }, ended, "DIFF_DOES_NOT_APPLY", /should be "a" but is "a\\n"/);
  });

  it("accepts a hunk elsewhere only when it fits at one place", async () => {
    const at_three = edit("f", "@@ -3,3 +3,3 @@", " a", "-b", "+x", " c");
    const moved = { f: lines("new", "a", "b", "c", "end") };
    expect((await applied(moved, at_three)).tree).toEqual({ f: lines("new", "a", "x", "c", "end") });
    const twice = { f: lines("0", "a", "b", "c", "-", "a", "b", "c", "-") };
    await expectRefused(
      twice,
      at_three,
      "DIFF_DOES_NOT_APPLY",
      /fits at 2 places \(lines 2, 6\), none of them the stated line 3/,
    );
    const stated = { f: lines("1", "2", "a", "b", "c", "a", "b", "c") };
    expect((await applied(stated, at_three)).tree).toEqual({
      f: lines("1", "2", "a", "x", "c", "a", "b", "c"),
    });
    const sides = edit("f", "@@ -3,3 +6,3 @@", " a", "-b", "+x", " c");
    await expectRefused(stated, sides, "DIFF_DOES_NOT_APPLY", /its two sides do not state the same line/);
    await expectRefused(moved, B_TO_X, "DIFF_DOES_NOT_APPLY", /line 1 should be "a\\n"/);
  });

  it("does not trust the lines of later hunks once one has moved", async () => {
    const diff = edit(
      "f",
      "@@ -1,2 +1,2 @@",
      "-one",
      "+ONE",
      " 2",
      "@@ -4,3 +4,3 @@",
      " k",
      "-v",
      "+V",
      " k",
    );
    expect((await applied({ f: lines("one", "2", "3", "k", "v", "k", "v", "k") }, diff)).tree.f).toBe(
      lines("ONE", "2", "3", "k", "V", "k", "v", "k"),
    );
    const shifted = edit(
      "f",
      "@@ -2,3 +2,3 @@",
      " one",
      "-2",
      "+II",
      " 3",
      "@@ -6,3 +6,3 @@",
      " k",
      "-v",
      "+V",
      " .",
    );
    const file = lines("", "", "one", "2", "3", "k", "v", ".", "k", "v", ".");
    const naming = /hunk 2 of 2.*fits at 2 places \(lines 6, 9\), and the stated line 6 is not to be trusted/;
    await expectRefused({ f: file }, shifted, "DIFF_DOES_NOT_APPLY", naming);
  });

  it("keeps a hunk that says it is at the file's end there", async () => {
    const at_end = edit("f", "@@ -2,2 +2,3 @@", " 2", " 3", "+4");
    expect((await applied({ f: numbers(0, 3) }, at_end)).tree).toEqual({ f: numbers(0, 4) });
    await expectRefused(
      { f: numbers(0, 9) },
      at_end,
      "DIFF_DOES_NOT_APPLY",
      /line 2 should be "2\\n" but is "1\\n"/,
    );
  });

  it("looks for a moved hunk in one pass, however much the lines repeat", async () => {
    const same = (count: number, sign: string) => `${sign}same\n`.repeat(count);
    const hunk = `--- a/f\n+++ b/f\n@@ -9,60001 +9,60002 @@\n${same(60_000, " ")}+new\n other\n`;
    await expectRefused({ f: same(300_000, "") }, hunk, "DIFF_DOES_NOT_APPLY", /line 60009 should be "other/);
  });

  it("names the file, the hunk and the first line that differs", async () => {
    const diff = B_TO_X + edit("dir/g", "@@ -2,3 +2,3 @@ g()", " 2", "-3", "+x", " 4");
    const naming =
      /^dir\/g: hunk 1 of 1 \(@@ -2,3 \+2,3 @@ g\(\), line 10 of the diff\) does not apply: line 3 should be "3\\n" but is "drei\\n"/;
    await expectRefused(
      { f: lines("a", "b", "c"), "dir/g": lines("1", "2", "drei", "4") },
      diff,
      "DIFF_DOES_NOT_APPLY",
      naming,
    );
    await expectRefused(
      { f: lines("a", "b") },
      B_TO_X,
      "DIFF_DOES_NOT_APPLY",
      /line 3 should be "c\\n" but the file has only 2 lines/,
    );
  });

  it("applies a series that touches a file twice", async () => {
    const series = B_TO_X + edit("f", "@@ -1,3 +1,3 @@", " a", "-x", "+y", " c");
    expect(await applied({ f: lines("a", "b", "c") }, series)).toEqual({
      tree: { f: lines("a", "y", "c") },
      changes: [{ path: "f", change: "modified", insertions: 2, deletions: 2 }],
    });
  });

  it.each(["", "   \n\n"])("refuses the empty diff %j", async (diff) => {
    await expectRefused({ f: "a" }, diff, "DIFF_EMPTY");
  });

  it.each<[string, string, number]>([
    ["words only", "please fix it\n", 1],
    ["a hunk without a file", "@@ -1 +1 @@\n-a\n+b\n", 1],
    ["a bad hunk header", edit("f", "@@ -1 @@", "-a"), 3],
    ["a hunk that is cut off", edit("f", "@@ -1,2 +1,2 @@", " a", "-b"), 3],
    ["more lines than counted", edit("f", "@@ -1 +1 @@", "-a", "+b", "+c"), 3],
    ["too many lines of one side", edit("f", "@@ -1 +1,2 @@", "-a", "-b", "+c"), 3],
    ["an unmarked line in a hunk", edit("f", "@@ -1,3 +1,3 @@", " a", "b", "-c"), 3],
    ["a hunk that changes nothing", edit("f", "@@ -1 +1 @@", " a"), 3],
    ["a marker after no line", edit("f", "@@ -1 +1 @@", "\\ No newline at end of file", "-a", "+b"), 4],
    [
      "a line after the file's last",
      edit("f", "@@ -1,2 +1 @@", "-a", "\\ No newline at end of file", "-b", "+b"),
      6,
    ],
    ["hunks out of order", edit("f", "@@ -5 +5 @@", "-a", "+b", "@@ -1 +1 @@", "-a", "+b"), 6],
    ["line 0", edit("f", "@@ -0 +1 @@", "-a", "+b"), 3],
    ["names that differ", "--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", 1],
    ["git names that differ", "diff --git a/f b/g\nold mode 100644\nnew mode 100755\n", 1],
    ["half a rename", "diff --git a/f b/g\nrename from f\n", 1],
    ["a header with no change", "diff --git a/f b/f\nindex 1..2 100644\n", 1],
    ["names without hunks", "--- a/f\n+++ b/f\n", 3],
    ["nothing to nothing", "--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", 1],
    ["an added file with context", "--- /dev/null\n+++ b/n\n@@ -1 +1,2 @@\n a\n+b\n", 1],
    ["a diff converted to CRLF", B_TO_X.replaceAll("\n", "\r\n"), 1],
    ["a broken quote", 'diff --git a/f b/f\n--- "a/\\q"\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n', 2],
  ])("refuses as malformed, with the line: %s", async (_, diff, line) => {
    await expectRefused({ f: "a\n" }, diff, "DIFF_MALFORMED", new RegExp(`^Line ${line} of the diff`));
  });

  it("refuses a target that is there, or is not", async () => {
    const added = "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n";
    await expectRefused({ f: "a\n" }, added, "DIFF_TARGET_EXISTS", /"f"/);
    await expectRefused({ "f/below": "" }, added, "DIFF_TARGET_EXISTS", /f\/below/);
    await expectRefused({ f: "" }, added.replace("b/f", "b/f/g"), "DIFF_TARGET_EXISTS", /"f" is a file/);
    await expectRefused(
      { a: "", b: "" },
      "diff --git a/a b/b\nrename from a\nrename to b\n",
      "DIFF_TARGET_EXISTS",
    );
    await expectRefused({ g: "" }, B_TO_X, "DIFF_TARGET_MISSING", /"f"/);
    await expectRefused({ "f/g": "" }, B_TO_X, "DIFF_TARGET_MISSING");
    await expectRefused({ f: "" }, B_TO_X.replaceAll("/f", "/f/g"), "DIFF_TARGET_MISSING");
    const deleted = "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    await expectRefused({ f: "a\nb\n" }, deleted, "DIFF_DOES_NOT_APPLY");
  });
});
