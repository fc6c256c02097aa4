import { parseJestJson } from "#lib/code/test-results/jest-json.ts";
import { parseJunit } from "#lib/code/test-results/junit.ts";
import { parseMochaJson } from "#lib/code/test-results/mocha-json.ts";
import { parseNodeTest } from "#lib/code/test-results/node-test.ts";
import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import { parseTap } from "#lib/code/test-results/tap.ts";
import type { TestFormat, TestParser } from "#lib/code/test-results/test-format.ts";
import { parseVitestJson } from "#lib/code/test-results/vitest-json.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

export interface TestOutput {
  stdout: string;
  /** Both streams: some reporters write to stderr. */
  log: string;
  /** Report files the test wrote into the tree. */
  files: readonly { path: string; text: string }[];
  /** The tree's path as the test saw it: what reporters call files is told relative to it. */
  tree: string;
}

export interface TestResults {
  format: TestFormat;
  /** At most 20,000, the failed ones kept first. */
  tests: TestCase[];
  passed: number;
  failed: number;
  skipped: number;
}

const TESTS_MAX = 20_000;
/** Failure texts of one report together; later ones are left out. */
const FAILURES_CHARACTERS_MAX = 2_000_000;

/** The surest marks first: TAP needs the least to be mistaken for. */
const PARSERS: readonly [TestFormat, TestParser][] = [
  ["vitest-json", parseVitestJson],
  ["jest-json", parseJestJson],
  ["mocha-json", parseMochaJson],
  ["junit", parseJunit],
  ["node-test", parseNodeTest],
  ["tap", parseTap],
];

/**
 * Finds out which reporter spoke and what it said; `none` when nobody did whom we understand.
 * Whatever the text is, this neither throws nor hangs.
 */
export function parseTestResults({ stdout, log, files, tree }: TestOutput): TestResults {
  const { format, tests } = detect({ stdout, log, files });
  const count = (status: TestCase["status"]) => tests.filter((test) => test.status === status).length;
  const failed = count("failed");
  return {
    format,
    tests: withinBounds(tests, failed).map((test) => ({ ...test, file: relativeFile(test.file, tree) })),
    passed: count("passed"),
    failed,
    skipped: count("skipped"),
  };
}

function detect({ stdout, log, files }: Omit<TestOutput, "tree">): { format: TestFormat; tests: TestCase[] } {
  const plain_stdout = stripAnsi(stdout);
  const plain_log = plain_stdout === "" || log !== stdout ? stripAnsi(log) : plain_stdout;
  for (const text of new Set([plain_stdout, plain_log])) {
    for (const [format, parse] of PARSERS) {
      const tests = parse(text);
      if (tests) return { format, tests };
    }
  }
  for (const [format, parse] of PARSERS) {
    const parsed = files.map((file) => parse(file.text)).filter((tests) => tests !== null);
    if (parsed.length > 0) return { format, tests: parsed.flat() };
  }
  return { format: "none", tests: [] };
}

function relativeFile(file: string | null, tree: string): string | null {
  const path = file?.replace(/^file:\/\//, "");
  return path?.startsWith(`${tree}/`) ? path.slice(tree.length + 1) : (path ?? null);
}

function withinBounds(all: readonly TestCase[], failed: number): TestCase[] {
  let others = Math.max(0, TESTS_MAX - failed);
  let characters = FAILURES_CHARACTERS_MAX;
  return all
    .filter((test) => test.status === "failed" || others-- > 0)
    .slice(0, TESTS_MAX)
    .map((test) => {
      characters -= test.failure?.length ?? 0;
      return characters < 0 ? { ...test, failure: null } : test;
    });
}
