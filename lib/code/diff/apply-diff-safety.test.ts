import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import { B_TO_X, edit, expectRefused, inTree, lines, listing } from "#test/fakes/diff-tree.ts";

describe("applyDiff, with a diff that means harm", () => {
  it.each([
    "--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+a\n",
    "--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
    "--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
    "diff --git a/f b/f\nrename from f\nrename to ../g\n",
    'diff --git a/f b/f\nrename from f\nrename to "a\\nb"\n',
    "--- /dev/null\n+++ b/.git/hooks/pre-commit\n@@ -0,0 +1 @@\n+a\n",
    "--- /dev/null\n+++ b/sub/.GIT/config\n@@ -0,0 +1 @@\n+a\n",
    "--- /dev/null\n+++ b/.git./config\n@@ -0,0 +1 @@\n+a\n",
    "--- /dev/null\n+++ b/.git . /config\n@@ -0,0 +1 @@\n+a\n",
    "--- /dev/null\n+++ b/GIT~1/config\n@@ -0,0 +1 @@\n+a\n",
    "--- /dev/null\n+++ b/.git::$INDEX_ALLOCATION/config\n@@ -0,0 +1 @@\n+a\n",
    "--- /dev/null\n+++ b/.g\u200cit/config\n@@ -0,0 +1 @@\n+a\n",
    "diff --git a/.gitmodules b/.gitmodules\nnew file mode 120000\n--- /dev/null\n+++ b/.gitmodules\n@@ -0,0 +1 @@\n+f\n\\ No newline at end of file\n",
  ])("refuses an unsafe path: %j", async (diff) => {
    await expectRefused({ f: "a\n" }, diff, "DIFF_PATH_UNSAFE");
  });

  it("never goes through a link, and lets none lead out of the tree", async () => {
    const through = "--- /dev/null\n+++ b/l/x\n@@ -0,0 +1 @@\n+a\n";
    await expectRefused({ "d/f": "a\n" }, through, "DIFF_PATH_UNSAFE", /beyond the symbolic link "l"/, {
      l: "d",
    });
    const reading = edit("l/f", "@@ -1 +1 @@", "-a", "+b");
    await expectRefused({ "d/f": "a\n" }, reading, "DIFF_PATH_UNSAFE", /beyond/, { l: "d" });
    const itself = edit("l", "@@ -1 +1 @@", "-a", "+b");
    await expectRefused({ "d/f": "a\n" }, itself, "DIFF_PATH_UNSAFE", /symbolic link/, { l: "d/f" });
    const link = (path: string, target: string) =>
      lines(
        `diff --git a/${path} b/${path}`,
        "new file mode 120000",
        "--- /dev/null",
        `+++ b/${path}`,
        "@@ -0,0 +1 @@",
        `+${target}`,
        "\\ No newline at end of file",
      );
    await expectRefused({ f: "" }, link("out", "/etc"), "DIFF_PATH_UNSAFE", /out of the tree/);
    await expectRefused({ f: "" }, link("here", ".") + link("out", "here/.."), "DIFF_PATH_UNSAFE", /"out"/);
    await expectRefused({ f: "" }, link("l", "f") + link("l/x", "y"), "DIFF_PATH_UNSAFE", /beyond/);
    await inTree({ f: "text" }, async (directory) => {
      await applyDiff(directory, link("inside", "f"));
      expect(await readFile(join(directory, "inside"), "utf8")).toBe("text");
    });
  });

  it("writes nothing when only the last of many files fails", async () => {
    const diff = `--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+a\n${B_TO_X}--- a/g\n+++ b/g\n@@ -1 +1 @@\n-no\n+b\n`;
    await expectRefused({ f: lines("a", "b", "c"), g: "yes\n" }, diff, "DIFF_DOES_NOT_APPLY", /^g:/);
  });

  it("answers bent diffs with a code, and then leaves the tree as it was", async () => {
    const good =
      B_TO_X +
      lines(
        "diff --git a/g b/h",
        "similarity index 90%",
        "rename from g",
        "rename to h",
        "--- a/g",
        "+++ b/h",
        "@@ -1,2 +1,3 @@",
        " 1",
        "+new",
        " 2",
        "diff --git a/n b/n",
        "new file mode 100644",
        "--- /dev/null",
        "+++ b/n",
        "@@ -0,0 +1 @@",
        "+n",
        "\\ No newline at end of file",
      );
    const piece = fc.constantFrom(
      "-",
      "+",
      " ",
      "\n",
      "\\",
      "@@ -1 +1 @@\n",
      "--- ",
      "/dev/null",
      "../",
      "0",
      "9",
      '"',
      "\r",
      "120000",
      "a/",
      "rename to ../x\n",
      "\u0000",
    );
    const bend = fc.tuple(fc.nat(good.length), fc.nat(12), fc.array(piece, { maxLength: 3 }));
    const texts = { f: lines("a", "b", "c"), g: lines("1", "2") };
    await fc.assert(
      fc.asyncProperty(fc.array(bend, { minLength: 1, maxLength: 4 }), async (bends) => {
        let diff = good;
        for (const [at, removed, added] of bends)
          diff = diff.slice(0, at) + added.join("") + diff.slice(at + removed);
        await inTree(texts, async (directory) => {
          const before = await listing(directory);
          await applyDiff(directory, diff).catch(async (error: unknown) => {
            expect(error).toMatchObject({ disposition: "reject", code: expect.stringMatching(/^DIFF_/) });
            expect(await listing(directory)).toEqual(before);
          });
        });
      }),
      { numRuns: 500 },
    );
  });
});
