import { type TestDocument, testCase } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const RUNNING = /^running (\d+) tests?$/;
const TEST = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored\b.*|bench:.*)$/;
const RESULT =
  /^test result: (ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured; \d+ filtered out(?:; finished in [\d.]+s)?$/;
const BINARY = /^ +(?:Running (?:unittests )?(\S+) \(|Doc-tests (\S+))/;
const BLOCK = /^---- (.+) stdout ----$/;
const NAME_CHARACTERS_MAX = 2000;

interface Open {
  planned: number;
  tests: TestCase[];
  failures: Map<string, string[]>;
  block: string[] | null;
}

/**
 * What `cargo test` prints, one document for each test binary and for the documentation's tests
 * (https://doc.rust-lang.org/book/ch11-01-writing-tests.html). The last line's counts decide: a test that
 * prints may break the line that names it. A binary without that line ended early.
 */
export function cargoDocuments(lines: readonly string[]): TestDocument[] {
  const documents: TestDocument[] = [];
  let open: Open | null = null;
  let file: string | null = null;
  const cutOff = () => {
    // The word "running" alone is anybody's: without a test or a result it is none of cargo's.
    if (open && open.tests.length > 0) documents.push(document(open, null));
    open = null;
  };
  for (const line of lines) {
    if (line.length > NAME_CHARACTERS_MAX) continue;
    const binary = BINARY.exec(line);
    if (binary) file = binary[1] ?? binary[2] ?? null;
    const running = RUNNING.exec(line);
    if (running) {
      cutOff();
      open = { planned: Number(running[1]), tests: [], failures: new Map(), block: null };
      continue;
    }
    if (!open) continue;
    const result = RESULT.exec(line);
    if (result) {
      documents.push(document(open, result));
      open = null;
    } else takeLine(open, line, file);
  }
  cutOff();
  return documents;
}

function takeLine(open: Open, line: string, file: string | null): void {
  const test = TEST.exec(line);
  if (test) {
    const [, name = "", outcome = ""] = test;
    const status = outcome === "FAILED" ? "failed" : outcome.startsWith("ignored") ? "skipped" : "passed";
    open.tests.push(testCase({ names: [name], status, file }));
    return;
  }
  const block = BLOCK.exec(line);
  if (block) {
    open.block = [];
    open.failures.set(block[1] ?? "", open.block);
  } else if (line === "failures:") open.block = null;
  else if (open.block && open.block.length < 200) open.block.push(line);
}

function document({ tests, failures, planned }: Open, result: RegExpExecArray | null): TestDocument {
  for (const test of tests) {
    if (test.status === "failed") test.failure = failures.get(test.name)?.join("\n").trim() || null;
  }
  const named = (status: TestCase["status"]) => tests.filter((test) => test.status === status).length;
  if (!result) {
    const counts = { passed: named("passed"), failed: named("failed"), skipped: named("skipped") };
    const problem = `the output of cargo test is cut off: of ${planned} tests ${tests.length} are there, and no result`;
    return { format: "cargo-test", tests, counts, problems: [problem] };
  }
  const [, word, passed, failed, ignored, measured] = result;
  const counts = {
    passed: Number(passed) + Number(measured),
    failed: Number(failed),
    skipped: Number(ignored),
  };
  // With --quiet no line names a test; those that failed have their output told.
  if (named("failed") < counts.failed) {
    for (const [name, block] of failures) {
      if (tests.some((test) => test.status === "failed" && test.name === name)) continue;
      tests.push(testCase({ names: [name], status: "failed", failure: block.join("\n") }));
    }
  }
  const problems = [];
  const reported = counts.passed + counts.failed + counts.skipped;
  if (word === "FAILED" && counts.failed === 0)
    problems.push("cargo test says FAILED, and counts no failed test");
  else if (reported < planned) {
    problems.push(`cargo test runs ${planned} tests, and its result counts ${reported}`);
  }
  return { format: "cargo-test", tests, counts, problems };
}
