import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
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

const ABC = { f: lines("a", "b", "c") };
const AXC = { f: lines("a", "x", "c") };
const GIT_B_TO_X = `diff --git a/f b/f\nindex de98044..b9d5e3a 100644\n${B_TO_X}`;

describe("a diff is bytes", () => {
  const latin1 = (text: string) => Buffer.from(text, "latin1");

  it("adds, keeps and removes bytes that are no UTF-8", async () => {
    const diff = latin1(edit("f", "@@ -1,3 +1,3 @@", " caf\xe9", "-na\xefve", "+F\xfcnf", " c"));
    await inTree({ f: latin1("caf\xe9\nna\xefve\nc\n") }, async (directory) => {
      await applyDiff(directory, diff);
      expect(await readFile(join(directory, "f"), "latin1")).toBe("caf\xe9\nF\xfcnf\nc\n");
    });
    await expectRefused(
      { f: "café\nnaïve\nc\n" },
      diff,
      "DIFF_DOES_NOT_APPLY",
      /should be "café\\n"|"caf\xe9\\n"/,
    );
  });

  it("edits a file with a NUL in it", async () => {
    await inTree({ f: "a\0\nb\nc\n" }, async (directory) => {
      await applyDiff(directory, edit("f", "@@ -1,3 +1,3 @@", " a\0", "-b", "+x", " c"));
      expect(await readFile(join(directory, "f"), "latin1")).toBe("a\0\nx\nc\n");
    });
  });

  it("refuses a name that is not UTF-8", async () => {
    const octal = '--- /dev/null\n+++ "b/caf\\351"\n@@ -0,0 +1 @@\n+a\n';
    await expectRefused(ABC, octal, "DIFF_PATH_UNSAFE", /not valid UTF-8/);
    await expectRefused(ABC, latin1("--- /dev/null\n+++ b/caf\xe9\n@@ -0,0 +1 @@\n+a\n"), "DIFF_PATH_UNSAFE");
  });

  it("refuses UTF-16 with advice", async () => {
    const utf16 = Buffer.from(`\ufeff${B_TO_X}`, "utf16le");
    await expectRefused(ABC, utf16, "DIFF_FORMAT_UNSUPPORTED", /PowerShell/);
  });

  it("refuses a diff whose last line may be cut off", async () => {
    await expectRefused(ABC, B_TO_X.slice(0, -1), "DIFF_MALFORMED", /Line 7 .*no newline/);
    await expectRefused(
      ABC,
      "diff --git a/f b/f\nold mode 100644\nnew mode 100755",
      "DIFF_MALFORMED",
      /no newline/,
    );
  });
});

describe("the forms of a diff", () => {
  const mail = (subject: string, diff: string) =>
    `From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nFrom: Ann <ann@example.org>\nSubject: [PATCH] ${subject}\n\n- words\n---\n f | 2 +-\n\n${diff}-- \n2.40.1\n\n`;

  it("reads a mail, and the mails of an mbox one after another", async () => {
    expect((await applied(ABC, mail("one", GIT_B_TO_X))).tree).toEqual(AXC);
    const second = edit("f", "@@ -1,3 +1,3 @@", " a", "-x", "+y", " c");
    const made = mail(
      "three",
      "diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+n\n",
    );
    expect(parseDiff(mail("one", GIT_B_TO_X) + mail("two", second))).toHaveLength(2);
    const { tree, changes } = await applied(ABC, mail("one", GIT_B_TO_X) + mail("two", second) + made);
    expect(tree).toEqual({ f: lines("a", "y", "c"), n: "n\n" });
    expect(changes).toContainEqual({ path: "f", change: "modified", insertions: 2, deletions: 2 });
  });

  it("lets a later mail rename what an earlier one made, as `git am` does", async () => {
    const made = mail(
      "one",
      "diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+n\n",
    );
    const moved = mail("two", "diff --git a/n b/m\nsimilarity index 100%\nrename from n\nrename to m\n");
    expect((await applied(ABC, made + moved)).tree).toEqual({ ...ABC, m: "n\n" });
  });

  it("refuses a series that `git am` and `git apply` take for different trees", async () => {
    const moved = "diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n";
    await expectRefused(ABC, mail("one", GIT_B_TO_X) + mail("two", moved), "DIFF_ORDER_UNCLEAR", /"f"/);
  });

  it.each(["quoted-printable", "base64"])(
    "refuses a mail that is encoded as %s, with advice",
    async (encoding) => {
      const encoded = mail("x", GIT_B_TO_X).replace(
        "Subject",
        `Content-Transfer-Encoding: ${encoding}\nSubject`,
      );
      await expectRefused(ABC, encoded, "DIFF_FORMAT_UNSUPPORTED", /git mailinfo/);
    },
  );

  it("reads what Subversion writes, whose names have no prefix", async () => {
    const svn = lines(
      "Index: src/f",
      "=".repeat(67),
      "--- src/f\t(revision 7)",
      "+++ src/f\t(working copy)",
      "@@ -1,3 +1,3 @@",
      " a",
      "-b",
      "+x",
      " c",
      "",
      "Property changes on: src/f",
      "_".repeat(67),
      "Added: svn:eol-style",
      "## -0,0 +1 ##",
      "+native",
      "\\ No newline at end of property",
      "Index: src/new",
      "=".repeat(67),
      "--- src/new\t(nonexistent)",
      "+++ src/new\t(working copy)",
      "@@ -0,0 +1 @@",
      "+n",
    );
    const { tree, changes } = await applied({ "src/f": ABC.f }, svn);
    expect(tree).toEqual({ "src/f": AXC.f, "src/new": "n\n" });
    expect(changes[1]).toEqual({ path: "src/new", change: "added", insertions: 1, deletions: 0 });
    const gone = "--- f\t(revision 7)\n+++ f\t(nonexistent)\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n";
    await expectRefused(ABC, gone, "DIFF_FORMAT_UNSUPPORTED", /\/dev\/null/);
    await expectRefused(
      ABC,
      "Index: p\nCannot display: file marked as a binary type.\n",
      "DIFF_BINARY_UNSUPPORTED",
    );
  });

  it("reads what Mercurial writes", async () => {
    const time = "\tThu Jan 01 00:00:00 1970 +0000";
    const hg = `# HG changeset patch\n# User Ann\n# Node ID 0123\nwords\n\ndiff -r 0123 f\n--- a/f${time}\n+++ b/f${time}\n${B_TO_X.split("\n").slice(2).join("\n")}`;
    expect((await applied(ABC, hg)).tree).toEqual(AXC);
    const gone = `diff -r 0123 f\n--- a/f${time}\n+++ /dev/null${time}\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n`;
    expect((await applied(ABC, gone)).tree).toEqual({});
    await expectRefused(
      ABC,
      `${hg}Binary file logo.png has changed\n`,
      "DIFF_BINARY_UNSUPPORTED",
      /logo\.png/,
    );
  });

  it("knows by the date of 1970 what `diff -ruN` made or deleted, in any time zone", async () => {
    const header = (before: string, after: string) => `--- base/f\t${before}\n+++ new/f\t${after}\n`;
    const now = "2026-11-30 15:12:59.780949927 +0100";
    const gone = "@@ -1,3 +0,0 @@\n-a\n-b\n-c\n";
    for (const epoch of [
      "1970-01-01 01:00:00.000000000 +0100",
      "1970-01-01 00:00:00 +0000",
      "1969-12-31 19:00:00.000000000 -0500",
    ]) {
      expect((await applied(ABC, header(now, epoch) + gone)).tree, epoch).toEqual({});
      expect((await applied({}, `${header(epoch, now)}@@ -0,0 +1 @@\n+a\n`)).tree, epoch).toEqual({
        f: "a\n",
      });
      await expectRefused(ABC, `${header(epoch, now)}@@ -0,0 +1 @@\n+a\n`, "DIFF_TARGET_EXISTS");
      await expectRefused(ABC, `${header(now, epoch)}@@ -1,3 +1 @@\n-a\n-b\n c\n`, "DIFF_MALFORMED");
    }
    // Another time, or the same clock in another zone, is a date like any other: the file becomes empty.
    expect((await applied(ABC, header(now, "1970-01-01 01:00:00 +0000") + gone)).tree).toEqual({ f: "" });
    expect((await applied(ABC, header(now, now) + gone)).tree).toEqual({ f: "" });
  });

  it("makes a file that a plain diff shows coming from nothing, unless something is there", async () => {
    const made = "--- f.orig\n+++ f\n@@ -0,0 +1 @@\n+a\n";
    expect((await applied({}, made)).tree).toEqual({ f: "a\n" });
    expect((await applied({ f: "" }, made)).tree).toEqual({ f: "a\n" });
    await expectRefused({ f: "b\n" }, made, "DIFF_TARGET_EXISTS");
  });

  it("takes the shorter of two names of which one goes on where the other ends", async () => {
    const hunk = B_TO_X.split("\n").slice(2).join("\n");
    for (const names of ["--- f.orig\n+++ f\n", "--- f\n+++ f.new\n", "--- a/f~\n+++ b/f\n"]) {
      expect((await applied(ABC, names + hunk)).tree, names).toEqual(AXC);
    }
    await expectRefused(ABC, `--- a/f\n+++ b/g\n${hunk}`, "DIFF_MALFORMED", /names .* differ/);
  });

  it.each<[string, string, RegExp]>([
    [
      "a context diff",
      "*** f\t2026\n--- f\t2026\n***************\n*** 1,3 ****\n  a\n! b\n  c\n--- 1,3 ----\n",
      /diff -c/,
    ],
    ["a diff without context or names", "2c2\n< b\n---\n> x\n", /ed script/],
    ["an ed script", "2c\nx\n.\n", /ed script/],
    [
      "the combined diff of a merge",
      "diff --cc f\nindex 1,2..3\n--- a/f\n+++ b/f\n@@@ -1,1 -1,1 +1,1 @@@\n",
      /merge/,
    ],
    ["a submodule", "diff --git a/s b/s\nnew file mode 160000\nindex 0..1\n", /submodule/],
  ])("refuses %s and says so", async (_, diff, naming) => {
    await expectRefused(ABC, diff, "DIFF_FORMAT_UNSUPPORTED", naming);
  });

  it("refuses what says that a binary file differs, but not how", async () => {
    const binary = "diff --git a/f b/f\nindex 1..2 100644\nBinary files a/f and b/f differ\n";
    await expectRefused(ABC, binary, "DIFF_BINARY_UNSUPPORTED", /git diff --binary/);
    await expectRefused(ABC, `${B_TO_X}Binary files a/g and b/g differ\n`, "DIFF_BINARY_UNSUPPORTED");
  });

  it("takes a diff without context at its stated lines, or nowhere", async () => {
    const bare = edit(
      "f",
      "@@ -2 +2 @@",
      "-2",
      "+two",
      "@@ -5,0 +6 @@",
      "+five and a half",
      "@@ -9 +9,0 @@",
      "-9",
    );
    expect((await applied({ f: numbers(1, 9) }, bare)).tree.f).toBe(
      lines("1", "two", "3", "4", "5", "five and a half", "6", "7", "8"),
    );
    await expectRefused({ f: numbers(0, 9) }, bare, "DIFF_DOES_NOT_APPLY", /exactly where it says/);
  });

  it("skips a byte order mark as git does, but loses no header by it", async () => {
    expect((await applied(ABC, `\ufeff${GIT_B_TO_X}`)).tree).toEqual(AXC);
    const moved = "diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n";
    await expectRefused(ABC, `\ufeff${moved}`, "DIFF_MALFORMED", /byte order mark/);
    await expectRefused(ABC, `\ufeff${B_TO_X}`, "DIFF_MALFORMED", /byte order mark/);
  });
});

describe("renames and copies", () => {
  const ten = numbers(1, 12);
  const edited = `diff --git a/src b/src\n${edit("src", "@@ -8,5 +8,5 @@", " 8", "-9", "+nine", " 10", " 11", " 12")}`;
  const copy = "diff --git a/src b/copy\nsimilarity index 100%\ncopy from src\ncopy to copy\n";

  it("copies what the source was before the diff, wherever in the diff the source is edited", async () => {
    const after = { src: ten.replace("9\n", "nine\n"), copy: ten };
    expect((await applied({ src: ten }, edited + copy)).tree).toEqual(after);
    expect((await applied({ src: ten }, copy + edited)).tree).toEqual(after);
  });

  it("lets files change places, and move up in a chain", async () => {
    const move = (from: string, to: string) =>
      `diff --git a/${from} b/${to}\nsimilarity index 100%\nrename from ${from}\nrename to ${to}\n`;
    const before = { a: "A\n", b: "B\n" };
    expect((await applied(before, move("a", "b") + move("b", "a"))).tree).toEqual({ a: "B\n", b: "A\n" });
    expect((await applied(before, move("b", "c") + move("a", "b"))).tree).toEqual({ b: "A\n", c: "B\n" });
    expect((await applied(before, move("a", "b") + move("b", "c"))).tree).toEqual({ b: "A\n", c: "B\n" });
    await expectRefused(before, move("a", "b"), "DIFF_TARGET_EXISTS");
    await expectRefused({ a: "A\n" }, move("a", "b") + move("b", "c"), "DIFF_TARGET_MISSING");
  });

  it("refuses a diff whose parts depend on their order", async () => {
    const moved = "diff --git a/src b/dst\nsimilarity index 100%\nrename from src\nrename to dst\n";
    const gone = `diff --git a/src b/src\ndeleted file mode 100644\n--- a/src\n+++ /dev/null\n@@ -1,12 +0,0 @@\n${ten.replace("9\n", "nine\n").replace(/^/gm, "-").slice(0, -1)}`;
    await expectRefused({ src: ten }, edited + moved, "DIFF_ORDER_UNCLEAR");
    await expectRefused({ src: ten }, edited + gone, "DIFF_ORDER_UNCLEAR");
  });

  it("keeps a file's mode where the diff states none but in its index line", async () => {
    await inTree({}, async (directory) => {
      await writeFile(join(directory, "f"), ABC.f, { mode: 0o755 });
      await applyDiff(directory, GIT_B_TO_X);
      expect(await listing(directory)).toEqual(AXC);
      const { mode } = await stat(join(directory, "f"));
      expect(mode & 0o100).toBe(0o100);
    });
  });
});

describe("a hunk's counts", () => {
  const hunk = (header: string, ...more: string[]) => edit("f", header, " a", "-b", "+x", " c", ...more);

  it.each<[string, string]>([
    ["too many, at the end of the diff", hunk("@@ -27,9 +27,9 @@ g()")],
    ["too few", hunk("@@ -27,2 +27,2 @@")],
    ["of one side only", hunk("@@ -27,3 +27,2 @@")],
    ["too many, before a mail's signature", hunk("@@ -27,4 +27,4 @@", "-- ", "2.40")],
    ["too many, before another file", hunk("@@ -27,5 +27,5 @@") + edit("g", "@@ -1 +1 @@", "-a", "+b")],
    ["too many, before another hunk", hunk("@@ -27,5 +27,5 @@", "@@ -40 +40 @@", "-a", "+b")],
  ])("are refused when they are wrong, and the right ones are named: %s", async (_, diff) => {
    await expectRefused(ABC, diff, "DIFF_MALFORMED", /^Line 3 of the diff: .*`@@ -27,3 \+27,3 @@` is right/);
  });
});

describe("where a diff's names are", () => {
  const hunk = B_TO_X.split("\n").slice(2).join("\n");
  const deep = { "pkg/src/f": ABC.f, other: "" };
  const done = { "pkg/src/f": AXC.f, other: "" };
  const at = async (diff: string, options: { strip?: number; directory?: string }) =>
    inTree(deep, async (directory) => {
      await applyDiff(directory, diff, options);
      return listing(directory);
    });

  it("takes parts off by --strip, and goes into a directory by --directory", async () => {
    expect(await at(`--- x/y/pkg/src/f\n+++ x/y/pkg/src/f\n${hunk}`, { strip: 2 })).toEqual(done);
    expect(await at(`--- pkg/src/f\n+++ pkg/src/f\n${hunk}`, { strip: 0 })).toEqual(done);
    for (const directory of ["pkg", "pkg/", "./pkg"]) {
      expect(await at(`--- a/src/f\n+++ b/src/f\n${hunk}`, { directory })).toEqual(done);
    }
    const moved = "diff --git a/x/f b/x/g\nsimilarity index 100%\nrename from x/f\nrename to x/g\n";
    expect(await at(moved, { strip: 2, directory: "pkg/src" })).toEqual({ "pkg/src/g": ABC.f, other: "" });
  });

  it.each<[{ strip?: number; directory?: string }, string]>([
    [{ strip: 4 }, "DIFF_STRIP_UNCLEAR"],
    [{ directory: "../elsewhere" }, "DIFF_PATH_UNSAFE"],
    [{ directory: "/etc" }, "DIFF_PATH_UNSAFE"],
    [{ directory: ".git" }, "DIFF_PATH_UNSAFE"],
  ])("refuses %j", async (options, code) => {
    await expect(at(`--- a/src/f\n+++ b/src/f\n${hunk}`, options)).rejects.toMatchObject({ code });
  });

  it("says which strip or directory would fit", async () => {
    await expectRefused(deep, `--- a/f\n+++ b/f\n${hunk}`, "DIFF_TARGET_MISSING", /--directory pkg\/src/);
    await expectRefused(
      deep,
      `--- old/x/pkg/src/f\n+++ new/x/pkg/src/f\n${hunk}`,
      "DIFF_TARGET_MISSING",
      /--strip 2/,
    );
    await expectRefused(
      deep,
      `--- /h/a/pkg/src/f\n+++ /h/b/pkg/src/f\n${hunk}`,
      "DIFF_MALFORMED",
      /--strip 3 both are "pkg\/src\/f"/,
    );
    await expectRefused(deep, `--- a/none\n+++ b/none\n${hunk}`, "DIFF_TARGET_MISSING", /submitted\.$/);
  });

  it("refuses names that can be read in two ways", async () => {
    const same = { "src/f": ABC.f, f: ABC.f };
    const bare = `diff --git src/f src/f\n--- src/f\n+++ src/f\n${hunk}`;
    expect((await applied({ "src/f": ABC.f, f: "other\n" }, bare)).tree["src/f"]).toBe(AXC.f);
    await expectRefused(same, bare, "DIFF_STRIP_UNCLEAR", /"src\/f" and "f"/);
    await expectRefused(
      ABC,
      `--- f\n+++ f\n${hunk}--- a/g\n+++ b/g\n${hunk}`,
      "DIFF_STRIP_UNCLEAR",
      /others have none/,
    );
    const made = "--- /dev/null\n+++ src/new\n@@ -0,0 +1 @@\n+a\n";
    await expectRefused(ABC, made, "DIFF_STRIP_UNCLEAR", /--strip 0 .* --strip 1 for "new"/);
    expect((await applied({ "src/f": ABC.f }, bare + made)).tree["src/new"]).toBe("a\n");
  });
});
