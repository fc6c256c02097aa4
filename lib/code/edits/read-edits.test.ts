import { describe, expect, it } from "vitest";
import { readEdits } from "#lib/code/edits/read-edits.ts";
import { TEXT_FORM } from "#lib/code/edits/tell-refusals.ts";
import { edited } from "#test/fakes/edited-tree.ts";

const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join("");
const block = (search: string, replace: string, path = "f") =>
  `${path}\n<<<<<<< SEARCH\n${search}=======\n${replace}>>>>>>> REPLACE\n`;
const A_TO_X = block("a\n", "x\n");
const edit = (search: string, replace: string, path = "f", occurrences = 1) => ({
  kind: "replace",
  path,
  search,
  replace,
  occurrences,
  whole_lines: true,
});
const codes = (answer: string) =>
  readEdits(answer).map((read) => (read.kind === "unreadable" ? read.code : read.kind));
const message = (answer: string) => {
  const [read] = readEdits(answer);
  return read?.kind === "unreadable" ? read.message : "";
};

describe("the text form", () => {
  it("is read as it is documented, whatever stands around it", () => {
    expect(readEdits(`Sure! Here are the edits.\n\n${TEXT_FORM}\nThat is all.`)).toEqual([
      edit('  return "hello";\n', "  return `hello, $" + "{name}`;\n", "src/greet.js"),
      { kind: "write", path: "src/new.js", content: "export const one = 1;\n" },
      { kind: "delete", path: "src/old.js" },
      { kind: "rename", path: "src/name.js", new_path: "src/new-name.js" },
    ]);
  });

  it.each<[string, string]>([
    ["in a fence", `\`\`\`\n${A_TO_X}\`\`\`\n`],
    ["in a fence with a language, its path above", `f\n\`\`\`js\n${A_TO_X.slice(2)}\`\`\`\n`],
    ["with its path in backticks", A_TO_X.replace("f\n", "`f`\n")],
    ["with its path in bold", A_TO_X.replace("f\n", "**f**\n")],
    ["with its path in bold and backticks", A_TO_X.replace("f\n", "**`f`**:\n")],
    ["with its path as a heading", A_TO_X.replace("f\n", "### f\n")],
    ["with its path labelled", A_TO_X.replace("f\n", "File: f\n")],
    ["with its path from the current directory", A_TO_X.replace("f\n", "./f\n")],
    ["with CRLF", A_TO_X.replaceAll("\n", "\r\n")],
    [
      "with blanks after its markers",
      A_TO_X.replaceAll("=======", "======= ").replaceAll("SEARCH", "SEARCH\t"),
    ],
    ["with longer markers", A_TO_X.replaceAll(/([<=>])\1{6}/g, "$1$1$1$1$1$1$1$1$1")],
    ["without a line end at its end", A_TO_X.trimEnd()],
    ["twice, word for word", `${A_TO_X}\nSo, in full:\n\n${A_TO_X}`],
    ["after reasoning", `<think>\n${block("a\n", "draft\n")}</think>\n${A_TO_X}`],
    [
      "after reasoning whose beginning the model does not write",
      `${block("a\n", "draft\n")}\n</think>\n\n${A_TO_X}`,
    ],
    [
      "between reasoning",
      `<thinking>a</thinking>\n${A_TO_X}<thinking>\n${block("a\n", "second thought\n")}</thinking>\n`,
    ],
  ])("is read %s", (_, answer) => {
    expect(readEdits(answer)).toEqual([edit("a\n", "x\n")]);
  });

  it("counts once where it is drafted before, in every kind, and twice where something is between", () => {
    const write = (content: string) => `n\n<<<<<<< FILE\n${content}>>>>>>> FILE\n`;
    const draft = `${write("1\n")}\n${A_TO_X}`;
    expect(codes(`${draft}\nIn full:\n\n${draft}`)).toEqual(["write", "replace"]);
    expect(codes(`${write("1\n")}\n${write("2\n")}\n${write("1\n")}`)).toEqual(["write", "write", "write"]);
  });

  it("has one path for blocks that follow one another", () => {
    const pathless = block("b\n", "y\n").slice(2);
    expect(readEdits(`${A_TO_X}\n${pathless}`)).toEqual([edit("a\n", "x\n"), edit("b\n", "y\n")]);
    expect(codes(`${A_TO_X}and then\n${pathless}`)).toEqual(["replace", "EDIT_MALFORMED"]);
  });

  it("takes longer markers for text that has markers in it", () => {
    const inner = lines("<<<<<<< SEARCH", "a", "=======", "x", ">>>>>>> REPLACE");
    const answer = `doc.md\n<<<<<<<< SEARCH\n${inner}========\nnone\n>>>>>>>> REPLACE\n`;
    expect(readEdits(answer)).toEqual([edit(inner, "none\n", "doc.md")]);
    const conflict = lines("<<<<<<< HEAD", "a", ">>>>>>> main");
    expect(readEdits(block(conflict, "a\n"))).toEqual([edit(conflict, "a\n")]);
  });

  it("may have empty sides, and fences and markup within", () => {
    expect(readEdits(block("", "new\n"))).toEqual([edit("", "new\n")]);
    expect(readEdits(block("a\n", ""))).toEqual([edit("a\n", "")]);
    expect(readEdits(block("```js\n", "<think>\n"))).toEqual([edit("```js\n", "<think>\n")]);
    expect(readEdits(block("  \n\ta\n", "\n"))).toEqual([edit("  \n\ta\n", "\n")]);
    expect(readEdits("f\n<<<<<<< FILE\n>>>>>>> FILE\n")).toEqual([{ kind: "write", path: "f", content: "" }]);
  });

  it("states how often a text occurs", () => {
    expect(readEdits(A_TO_X.replace("SEARCH", "SEARCH occurrences=3"))).toEqual([edit("a\n", "x\n", "f", 3)]);
    for (const wrong of ["0", "-1", "1001", "x", "1 2"]) {
      expect(codes(A_TO_X.replace("SEARCH", `SEARCH occurrences=${wrong}`)), wrong).toContain(
        "EDIT_MALFORMED",
      );
    }
  });

  it("takes a path with a blank only in quotes", () => {
    expect(readEdits(A_TO_X.replace("f\n", "`a b.js`\n"))).toEqual([edit("a\n", "x\n", "a b.js")]);
    expect(codes(A_TO_X.replace("f\n", "a b.js\n"))).toEqual(["EDIT_MALFORMED"]);
  });

  it.each<[string, string, RegExp]>([
    ["without a path", A_TO_X.slice(2), /not a path/],
    ["with prose for a path", A_TO_X.replace("f\n", "Here is the change:\n"), /not a path/],
    ["with a word of prose for a path", A_TO_X.replace("f\n", "Done.\n"), /not a path/],
    ["with a blank line below the path", A_TO_X.replace("f\n", "f\n\n"), /not a path/],
    ["without an end", A_TO_X.replace(">>>>>>> REPLACE\n", ""), /no end/],
    ["cut off", A_TO_X.slice(0, 25), /no end/],
    ["without a divider", A_TO_X.replace("=======\n", ""), /0 lines `=======`/],
    ["with two dividers", A_TO_X.replace("x\n", "=======\nx\n"), /2 lines `=======`/],
    ["with short markers", A_TO_X.replace("<<<<<<<", "<<<<<"), /not written as the beginning/],
    ["in lower case", A_TO_X.replace("SEARCH", "search"), /not written as the beginning/],
    ["indented", A_TO_X.replace("<<<<<<<", "  <<<<<<<"), /not written as the beginning/],
    ["with more on its first line", A_TO_X.replace("SEARCH", "SEARCH f"), /not written as the beginning/],
    [
      "of a whole file with a fence within",
      "f.js\n<<<<<<< FILE\n```js\na\n```\n>>>>>>> FILE\n",
      /fence of Markdown/,
    ],
    ["of a deletion with content", "f\n<<<<<<< DELETE\na\n>>>>>>> DELETE\n", /has content/],
    ["of a renaming to nothing", "f\n<<<<<<< RENAME\n>>>>>>> RENAME\n", /needs the new path/],
    ["of a renaming to two", "f\n<<<<<<< RENAME\na\nb\n>>>>>>> RENAME\n", /needs the new path/],
    [
      "of the form of apply_patch",
      "*** Begin Patch\n*** Update File: f\n@@\n-a\n+x\n*** End Patch\n",
      /not read/,
    ],
  ])("%s is refused, and is not lost beside another edit", (_, answer, naming) => {
    expect(codes(answer)[0]).toBe("EDIT_MALFORMED");
    expect(message(answer)).toMatch(naming);
    const beside = codes(`${block("b\n", "y\n", "g")}\nand\n\n${answer}`);
    expect(beside).toContain("EDIT_MALFORMED");
  });

  it("whose blocks cannot be told apart is read no further", () => {
    const nested = block("a\n", lines("g", "<<<<<<< SEARCH", "b", "=======", "y", ">>>>>>> REPLACE"));
    expect(codes(`${nested}\n${A_TO_X}`)).toEqual(["EDIT_MALFORMED"]);
    const unended = `${A_TO_X.replace(">>>>>>> REPLACE\n", "")}\n${block("b\n", "y\n", "g")}`;
    expect(codes(unended)).toEqual(["EDIT_MALFORMED"]);
    const early = block("a\n", lines("x", ">>>>>>> REPLACE", "more"));
    expect(codes(`${block("b\n", "y\n", "g")}\n${early}`)).toEqual(["replace", "EDIT_MALFORMED"]);
  });
});

describe("an answer without any edit", () => {
  it.each([
    "",
    "   \n\n",
    "I cannot do that.",
    "Change `a` to `b` in f:\n\n```js\nconst b = 1;\n```\n",
    "f\n```js\nwhole file\n```\n",
    '{"tool":"replace_text","path":"f","search":"a","replace":"b"}',
    "<think>\nf\n<<<<<<< SEARCH\na\n=======\nx\n>>>>>>> REPLACE\n",
    "<think>I would edit f</think>\nDone!",
    "- one\n- two\n+ three\n--- \n+++\n@@",
    "a < b && c > d\n=======\n<<<<<<< HEAD",
  ])("has one code of its own: %j", (answer) => {
    expect(codes(answer)).toEqual(["EDITS_MISSING"]);
  });

  it("says when that is because its reasoning has no end", () => {
    expect(message("<think>hm")).toContain("reasoning has no end");
    expect(codes(`${A_TO_X}<think>\n${A_TO_X}`)).toEqual(["replace", "EDIT_MALFORMED"]);
    expect(codes(`\`\`\`\n${A_TO_X}</think>\n`)).toEqual(["EDIT_MALFORMED"]);
  });
});

const HEAD = "--- a/f\n+++ b/f\n";
const hunk = (header: string, ...body: string[]) => lines(header, ...body);
const GOOD = `${HEAD}${hunk("@@ -1,3 +1,3 @@", " a", "-b", "+x", " c")}`;
const B_TO_X = edit("a\nb\nc\n", "a\nx\nc\n");

describe("a unified diff", () => {
  it.each<[string, string]>([
    ["as git writes it", `diff --git a/f b/f\nindex 1111111..2222222 100644\n${GOOD}`],
    ["alone", GOOD],
    ["without a line end at its end", GOOD.trimEnd()],
    ["in a fence", `Here:\n\`\`\`diff\n${GOOD}\`\`\`\nDone.\n`],
    ["in a fence of tildes", `~~~diff\n${GOOD}~~~\n`],
    ["with prose after it", `${GOOD}\nThis changes b.\n- it was wrong\n+ it is right\n`],
    ["with wrong counts", GOOD.replace("-1,3 +1,3", "-1,7 +1,2")],
    ["with wrong line numbers", GOOD.replace("-1,3 +1,3", "-90,3 +91,3")],
    ["with a bare @@", GOOD.replace("@@ -1,3 +1,3 @@", "@@")],
    ["with a name behind a bare @@", GOOD.replace("@@ -1,3 +1,3 @@", "@@ function f() {")],
    ["with dots for numbers", GOOD.replace("@@ -1,3 +1,3 @@", "@@ ... @@")],
    ["without any @@", GOOD.replace("@@ -1,3 +1,3 @@\n", "")],
    ["with CRLF", GOOD.replaceAll("\n", "\r\n")],
    [
      "with times",
      GOOD.replace("a/f", "a/f\t2026-01-01 10:00:00").replace("b/f", "b/f\t2026-01-01 10:00:00"),
    ],
    ["without prefixes", GOOD.replace("a/f", "f").replace("b/f", "f")],
    ["with one prefix", GOOD.replace("a/f", "f")],
    ["with the other prefix", GOOD.replace("b/f", "f")],
    ["from the current directory", GOOD.replace("a/f", "./f").replace("b/f", "./f")],
    ["from old to new", GOOD.replace("a/f", "old/f").replace("b/f", "new/f")],
    ["with a quoted name", GOOD.replace("a/f", '"a/f"').replace("b/f", '"b/f"')],
    ["twice", `First try:\n\`\`\`diff\n${GOOD}\`\`\`\nAgain:\n\`\`\`diff\n${GOOD}\`\`\`\n`],
    ["as a mail", `From 1 Mon Sep 17 00:00:00 2001\nSubject: x\n---\n f | 2 +-\n\n${GOOD}-- \n2.40.1\n`],
    ["as a mail with wrong counts", `${GOOD.replace("-1,3 +1,3", "-1,9 +1,9")}-- \n2.40.1\n`],
    ["after reasoning", `<think>\n${GOOD.replace("+x", "+draft")}</think>\n${GOOD}`],
  ])("is read %s", (_, answer) => {
    expect(readEdits(answer)).toEqual([B_TO_X]);
  });

  it("gives an edit a hunk, of each file, in several fences", () => {
    const two = `${HEAD}${hunk("@@ -1 +1 @@", "-a", "+x")}${hunk("@@ -9 +9 @@", "-b", "+y")}`;
    const other = `--- a/g\n+++ b/g\n${hunk("@@", " c", "+z")}`;
    const expected = [edit("a\n", "x\n"), edit("b\n", "y\n"), edit("c\n", "c\nz\n", "g")];
    expect(readEdits(two + other)).toEqual(expected);
    expect(readEdits(`\`\`\`diff\n${two}\`\`\`\nand\n\`\`\`diff\n${other}\`\`\`\n`)).toEqual(expected);
    expect(readEdits(`\`\`\`diff\n${two}\n${other}\n\`\`\`\n`)).toEqual(expected);
  });

  it("takes an empty line for an unchanged one, but not at the end of a hunk", () => {
    const answer = `${HEAD}${hunk("@@ -1,9 +1,9 @@", " a", "", "-b", "+x", "", "")}`;
    expect(readEdits(`\`\`\`diff\n${answer}\`\`\`\n`)).toEqual([edit("a\n\nb\n", "a\n\nx\n")]);
    const counted = `${HEAD}${hunk("@@ -1,3 +1,3 @@", " a", "", "-b", "+x")}`;
    expect(readEdits(`${counted}\n- a remark\n`)).toEqual([edit("a\n\nb\n", "a\n\nx\n")]);
  });

  it("makes, deletes and renames files", () => {
    const answer = [
      "diff --git a/n b/n\nnew file mode 100755\n--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+1\n+\n",
      "--- /dev/null\n+++ b/m\n@@ -0,0 +1,9 @@\n+1\n\n+2\n",
      "diff --git a/d b/d\ndeleted file mode 100644\n--- a/d\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-1\n-2\n",
      "diff --git a/e b/e\ndeleted file mode 100644\nindex 111..000\n",
      "diff --git a/r b/s\nsimilarity index 90%\nrename from r\nrename to s\n--- a/r\n+++ b/s\n@@ -1 +1 @@\n-1\n+2\n",
      "diff --git a/z b/z\nnew file mode 100644\nindex 000..e69\n",
      "diff --git a/b/q b/b/q\n--- a/b/q\n+++ b/b/q\n@@ -1 +1 @@\n-1\n\\ No newline at end of file\n+2\n\\ No newline at end of file\n",
    ];
    expect(readEdits(`\`\`\`diff\n${answer.join("")}\`\`\``)).toEqual([
      { kind: "write", path: "n", content: "1\n\n", is_new: true, executable: true },
      { kind: "write", path: "m", content: "1\n\n2\n", is_new: true },
      { kind: "delete", path: "d", content: "1\n2\n" },
      { kind: "delete", path: "e" },
      { kind: "rename", path: "r", new_path: "s" },
      edit("1\n", "2\n", "s"),
      { kind: "write", path: "z", content: "", is_new: true },
      edit("1", "2", "b/q"),
    ]);
  });

  it("tells a deleted line of dashes from a header", () => {
    const sql = `${HEAD}${hunk("@@ -1,2 +1,2 @@", " a", "--- old", "+++ new")}`;
    expect(readEdits(sql)).toEqual([edit("a\n-- old\n", "a\n++ new\n")]);
  });

  it.each<[string, string, RegExp]>([
    ["a hunk without names", "```diff\n@@ -1 +1 @@\n-a\n+b\n```\n", /no `---` and `\+\+\+`/],
    ["changed lines without names", "```diff\n-a\n+b\n```\n", /no `---` and `\+\+\+`/],
    ["two names of two files", "--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", /different files/],
    ["two directories", "--- src/f\n+++ lib/f\n@@ -1 +1 @@\n-a\n+b\n", /different files/],
    [
      "a line without a sign",
      `\`\`\`diff\n${HEAD}@@ -1,3 +1,3 @@\n a\n-b\n+x\nc\n\`\`\`\n`,
      /begins with none of/,
    ],
    [
      "a line without a sign after a blank one",
      `\`\`\`diff\n${HEAD}@@ -1,4 +1,4 @@\n a\n-b\n+x\n\nc\n\`\`\`\n`,
      /begins with none of/,
    ],
    [
      "a blank line outside of a fence, with wrong counts",
      `${HEAD}@@ -1,9 +1,9 @@\n a\n-b\n+x\n\n+ y\n`,
      /unclear whether the diff goes on/,
    ],
    ["a binary patch", "diff --git a/f b/f\nindex 1..2\nGIT binary patch\nliteral 1\nxxx\n", /binary/],
    ["binary files that differ", "diff --git a/f b/f\nBinary files a/f and b/f differ\n", /binary/],
    ["a copy", "diff --git a/f b/g\nsimilarity index 100%\ncopy from f\ncopy to g\n", /names|copies/],
    [
      "a link",
      "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+f\n",
      /link/,
    ],
    ["a mode", "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n", /mode/],
    [
      "a new file with unchanged lines",
      "--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n a\n+b\n",
      /every line of that begins with/,
    ],
    ["a hunk without lines", `${HEAD}@@ -1,3 +1,3 @@\n\`\`\`\n${HEAD}@@ -1 +1 @@\n`, /no/],
    ["a broken quoted name", '--- "a/f\n+++ "b/f\n@@ -1 +1 @@\n-a\n+b\n', /quoted name/],
  ])("with %s is refused", (_, answer, naming) => {
    expect(codes(answer)[0]).toBe("EDIT_MALFORMED");
    expect(message(answer)).toMatch(naming);
  });

  it("is held to the rules of every edit", async () => {
    const answer = (search: string, replace: string) =>
      readEdits(`--- a/f\n+++ b/f\n@@\n-${search}\n+${replace}\n`);
    expect((await edited({ f: "a\na\n" }, answer("a", "x"))).codes).toEqual(["EDIT_SEARCH_AMBIGUOUS"]);
    expect((await edited({ f: "b\n" }, answer("a", "x"))).codes).toEqual(["EDIT_SEARCH_NOT_FOUND"]);
    expect((await edited({ f: "a\n" }, readEdits(`${HEAD}@@ -0,0 +1 @@\n+x\n`))).codes).toEqual([
      "EDIT_FILE_EXISTS",
    ]);
    expect((await edited({ f: "a\n" }, readEdits(`${HEAD}@@ -1 +1 @@\n a\n`))).codes).toEqual([
      "EDIT_CHANGES_NOTHING",
    ]);
    const escaping = readEdits("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n");
    expect((await edited({ f: "a\n" }, escaping)).codes).toEqual(["EDIT_PATH_UNSAFE"]);
    const crlf = await edited({ f: "a\r\nb\r\nc" }, readEdits(GOOD));
    expect(crlf).toMatchObject({ codes: [], tree: { f: "a\r\nx\r\nc" } });
    const marker = readEdits(`${HEAD}@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n`);
    expect(await edited({ f: "a\nb" }, marker)).toMatchObject({ codes: [], tree: { f: "a\nb\n" } });
  });
});

it("refuses an answer that is too long", () => {
  expect(codes("a".repeat(5_000_000))).toEqual(["EDIT_TOO_LARGE"]);
});
