import { describe, expect, it } from "vitest";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { editText } from "#lib/code/edits/edit-text.ts";
import { readEdits } from "#lib/code/edits/read-edits.ts";
import { chunkFile, embeddingText } from "#lib/code/graph/chunk-file.ts";
import { codeWords, namesAsked } from "#lib/code/graph/code-words.ts";
import { readImportMap, resolveImport } from "#lib/code/graph/link-edges.ts";
import { linkTests } from "#lib/code/graph/link-tests.ts";
import { readComment, readSignature } from "#lib/code/graph/read-symbols.ts";
import { languageOf } from "#lib/code/graph/read-tree.ts";
import { checkGitRef } from "#lib/code/source/git-source.ts";
import { gitFault } from "#lib/code/source/run-git.ts";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";
import { treePathProblem } from "#lib/code/tree/tree-path.ts";
import { duplicateKey } from "#lib/platform/config/parse-config.ts";

const LIMITS = { chunk_characters_max: 240, excerpt_characters_max: 3000 };

const chunk = {
  symbol: null,
  kind: "lines" as const,
  exported: false,
  start_line: 1,
  end_line: 1,
  signature: "",
  doc: "",
};

const edit = (text: string, search: string, replace = "") =>
  editText("f", text, { search, replace, occurrences: 1 });

/**
 * Our own readers of submitted text; what they throw is not looked at. The grammars of tree-sitter are not
 * here: they are not linear (24,000 backticks take seconds), which is why they run confined.
 */
const PARSERS: Record<string, (text: string) => unknown> = {
  "chunks of Markdown": (text) => chunkFile({ language: "markdown", text: `# ${text}`, symbols: [] }, LIMITS),
  "chunks of text": (text) => chunkFile({ language: "text", text, symbols: [] }, LIMITS),
  "a comment": (text) => readComment([`/* ${text}`, `${text} */`, "x"], 3),
  "a line of comment": (text) => readComment([`// ${text}`, "x"], 2),
  "a signature": (text) => readSignature([text, text], 1, 2),
  "words of code": codeWords,
  "text to embed": (excerpt) => embeddingText({ ...chunk, symbol: excerpt, excerpt }, 240),
  "a language": languageOf,
  "the file of a test": (file) => {
    const test = { name: "t", file, status: "passed" as const, duration_ms: null, failure: null };
    return linkTests([test], [{ path: "a/b.js", language: "javascript", sha256: "0" }]);
  },
  "a query": (text) => namesAsked(text.slice(0, 2000)),
  "an import map": (text) => readImportMap(JSON.stringify({ imports: { [text]: text } })),
  "an import": (text) => resolveImport("a/b.ts", text, new Map(), { "#a/*": "./a/*" }),
  "a diff": (text) => parseDiff(`--- a/x\n+++ b/x\n@@ -1 +1 @@\n-${text}\n+${text}\n`),
  "a diff's head": (text) => parseDiff(`--- a/${text}\n+++ b/${text}\n@@ -1 +1 @@\n-a\n+b\n`),
  "a diff's preamble": parseDiff,
  "an answer": readEdits,
  "an answer in a fence": (text) => readEdits(`\`\`\`diff\n${text}`),
  "an edit of an answer": (text) =>
    readEdits(`f\n<<<<<<< SEARCH\n${text}\n=======\n${text}\n>>>>>>> REPLACE\n`),
  "a hunk of an answer": (text) => readEdits(`--- a/f\n+++ b/f\n@@ -1,999999999 +1,999999999 @@\n-${text}`),
  "a search text that is nearly there": (text) => edit(text, `${text.slice(text.length >> 1)}x`),
  "a search text that is off by its indentation": (text) =>
    edit(text.replaceAll("\n", "\n  "), `${text.slice(text.length >> 1).replaceAll("\n", "\n    ")}y`),
  "a search text that is there often": (text) => edit(text, text.slice(0, 7)),
  "a replacement": (text) => edit(`begin\n${text}\nend`, text, `${text}\n${text}`),
  "git's last words": (text) => gitFault(text.slice(-64 * 1024), "https://example.org/", "main"),
  "a git ref": checkGitRef,
  "a path": treePathProblem,
  "a test's output": (text) => parseTestResults({ stdout: text, stderr: text, files: [], tree: "/t" }),
  "a test's name": (text) =>
    parseTestResults({
      stdout: `TAP version 13\nnot ok 1 ${text}\n1..1\n`,
      stderr: "",
      files: [],
      tree: "/t",
    }),
  "a test's diagnostics": (text) =>
    parseTestResults({
      stdout: `TAP version 13\nnot ok 1 a\n  ---\n  at: ${text}\n  ...\n1..1\n`,
      stderr: "",
      files: [],
      tree: "/t",
    }),
  "a test report": (text) =>
    parseTestResults({
      stdout: "",
      stderr: "",
      files: [{ path: "junit.xml", text: `<testsuite><testcase name="a">${text}</testcase></testsuite>` }],
      tree: "/t",
    }),
  "a configuration": (text) => duplicateKey(JSON.stringify({ [text]: text })),
};

/** Repeated until they are long: what one regular expression or another takes badly. */
const UNITS = [
  ..."#*/ \t\r\n\"'`\\(){}[]<>=:;,.-_$@&|+0aA\u001b\0ü",
  "# ",
  "*/",
  "/*",
  "//",
  " \n",
  "\n\n",
  "a.",
  ".a",
  "a/",
  "../",
  "[[",
  "(1",
  "```\n",
  "---\n",
  "ok ",
  "not ok 1\n",
  "    ok 1 - a\n",
  "1:1:",
  "\u001b[1;",
  "<a>",
  "<a b='",
  "<![CDATA[",
  "&amp;",
  '{"a":',
  '"\\',
  "aA",
  "const a = ",
  "import ",
  "@@ -1 +1 @@\n",
  "--- a/x\n",
  "diff --git ",
  "<<<<<<< SEARCH\n",
  ">>>>>>> REPLACE\n",
  "=======\n",
  "<think>\n",
  "~~~\n",
  "  a\n",
  "@@\n+\n\n",
];
const ENDS = ["", "x", `x${"\n".repeat(1400)}`];

const SHORT = 30_000;
const LONG = 300_000;
/** The square of the short length is a billion steps: what is done sooner is not quadratic. */
const QUADRATIC_MS_MIN = 60;
/** Ten times the input is ten times the work, and a hundred times where it is quadratic. */
const RATIO_MAX = 45;

function time(parse: (text: string) => unknown, unit: string, end: string, characters: number): number {
  const text = unit.repeat(Math.ceil(characters / unit.length)) + end;
  const before = process.threadCpuUsage(); // the processor's time: what else runs here does not count
  try {
    parse(text);
  } catch {
    // Refused: that is an answer, too.
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

describe("the work on submitted text grows with its length, not with its square", () => {
  it.each(Object.entries(PARSERS))(
    "%s",
    (_, parse) => {
      const slow: string[] = [];
      for (const unit of UNITS) {
        for (const end of ENDS) {
          if (time(parse, unit, end, SHORT) < QUADRATIC_MS_MIN) continue;
          // The caches may be cold: the shortest of three is what the work takes.
          const best = (characters: number) =>
            Math.min(...[1, 2, 3].map(() => time(parse, unit, end, characters)));
          const ratio = best(LONG) / Math.max(1, best(SHORT));
          if (ratio > RATIO_MAX)
            slow.push(`${JSON.stringify(unit)} × n + ${JSON.stringify(end.slice(0, 9))}: ${ratio}`);
        }
      }
      expect(slow).toEqual([]);
    },
    300_000,
  );
});
