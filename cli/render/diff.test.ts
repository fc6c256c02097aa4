import { expect, it } from "vitest";
import { fileChanges } from "#lib/code/diff/file-diff.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { diffLines } from "./diff-lines.ts";
import { diffStat } from "./diff-stat.ts";
import { createPaint, painted } from "./paint.ts";

const TEXT = `diff --git a/a.sql b/a.sql
index 1..2 100644
--- a/a.sql
+++ b/a.sql
@@ -1,3 +1,3 @@ begin
 kept\r
--- a comment
+++ more\r
\\ No newline at end of file
diff --git a/p.png b/p.png
index eaf36c1daccfdf325514461cd1a2ffbc139b5464..cf408f3b73c016dff811028f082e3e2277146661 100644
GIT binary patch
literal 5
Mc\${NkWMW|j000~S4FCWD

literal 4
Lc\${NkWMT#Y01f~L

diff --git a/old b/new
similarity index 100%
rename from old
rename to new
`;

it("tells lines of a hunk from headers that look like them, and shows no binary data", () => {
  const lines = diffLines(Buffer.from(TEXT), createPaint(true)).map((line) => painted(line));
  expect(lines).toEqual([
    "\x1b[1mdiff --git a/a.sql b/a.sql\x1b[22m",
    "\x1b[1mindex 1..2 100644\x1b[22m",
    "\x1b[1m--- a/a.sql\x1b[22m",
    "\x1b[1m+++ b/a.sql\x1b[22m",
    "\x1b[36m@@ -1,3 +1,3 @@\x1b[39m begin",
    " kept",
    "\x1b[31m--- a comment\x1b[39m",
    "\x1b[32m+++ more\\x0d\x1b[39m",
    "\x1b[2m\\ No newline at end of file\x1b[22m",
    expect.stringContaining("diff --git a/p.png b/p.png"),
    expect.stringContaining("index eaf36c1"),
    expect.stringContaining("GIT binary patch"),
    "\x1b[2mliteral 5 bytes, not shown\x1b[22m",
    "\x1b[2mliteral 4 bytes, not shown\x1b[22m",
    expect.stringContaining("diff --git a/old b/new"),
    expect.stringContaining("similarity index 100%"),
    expect.stringContaining("rename from old"),
    expect.stringContaining("rename to new"),
  ]);
});

it("shows bytes that are no UTF-8 as Latin-1", () => {
  const bytes = Buffer.from([0x2b, 0xe4, 10]);
  const hunk = Buffer.concat([Buffer.from("@@ -0,0 +1,1 @@\n"), bytes]);
  expect(diffLines(hunk, createPaint(false))).toEqual(["@@ -0,0 +1,1 @@", "+ä"]);
});

it("sums up each file and all of them", () => {
  const added = Array.from({ length: 100 }, (_, index) => `+line ${index}`).join("\n");
  const more = `diff --git a/long.txt b/long.txt\nnew file mode 100644\n--- /dev/null\n+++ b/long.txt\n@@ -0,0 +1,100 @@\n${added}\n`;
  const few = TEXT.replace("@@ -1,3 +1,3 @@", "@@ -1,2 +1,2 @@");
  const files = parseDiff(Buffer.from(few + more)).flat();
  expect(diffStat(fileChanges(files), files, createPaint(false))).toEqual([
    " a.sql     |   2 +-",
    ` long.txt  | 100 ${"+".repeat(40)} (new)`,
    " old → new |   0 (renamed)",
    " p.png     | bin",
    " 4 files changed, 101 insertions(+), 1 deletion(-)",
  ]);
});
