import { describe, expect, it } from "vitest";
import { parseDiff } from "./parse-diff.ts";

describe("the diff of a task", () => {
  it("has files with their lines, numbers and counts", () => {
    const [file, ...others] = parseDiff(
      "diff --git a/add.js b/add.js\n--- a/add.js\n+++ b/add.js\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
    );
    expect(others).toEqual([]);
    expect(file).toMatchObject({
      path: "add.js",
      kind: "changed",
      added: 1,
      removed: 1,
      old_path: undefined,
    });
    expect(file?.lines).toEqual([
      { kind: "hunk", text: "@@ -1,3 +1,3 @@" },
      { kind: "same", old_line: 1, new_line: 1, text: "one" },
      { kind: "removed", old_line: 2, text: "two" },
      { kind: "added", new_line: 2, text: "2" },
      { kind: "same", old_line: 3, new_line: 3, text: "three" },
    ]);
  });

  it("tells new, deleted and renamed files", () => {
    const files = parseDiff(
      [
        "diff --git a/new.txt b/new.txt\nnew file mode 100644\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/old.txt b/old.txt\ndeleted file mode 100644\n--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
        "diff --git a/from.txt b/to.txt\nsimilarity index 100%\nrename from from.txt\nrename to to.txt\n",
      ].join(""),
    );
    expect(files.map(({ path, kind, old_path }) => [path, kind, old_path])).toEqual([
      ["new.txt", "created", undefined],
      ["old.txt", "deleted", undefined],
      ["to.txt", "renamed", "from.txt"],
    ]);
  });

  it("keeps a missing line end at the end of a file", () => {
    const [file] = parseDiff("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n");
    expect(file?.lines.map(({ kind }) => kind)).toEqual(["hunk", "removed", "note", "added"]);
  });
});
