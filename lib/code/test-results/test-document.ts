import type { BuildTestReport, TestCase } from "#schemas/artifacts/build-test-report.ts";

export type TestFormat = Exclude<BuildTestReport["test_format"], "none" | "several">;

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What one reporter wrote about one run. */
export interface TestDocument {
  format: TestFormat;
  /** The tests that the document names. A summary may count more than it names. */
  tests: TestCase[];
  counts: TestCounts;
  /** Why the document proves nothing or contradicts itself: a run with one of these did not pass. */
  problems: string[];
  /** The runner, where the document says it. */
  producer?: string;
}

const NAME_CHARACTERS_MAX = 1000;
const FAILURE_CHARACTERS_MAX = 8000;

interface LooseTestCase {
  /** Suites from the outermost in, then the test. */
  names: readonly string[];
  status: TestCase["status"];
  file?: string | null | undefined;
  duration_ms?: number | null | undefined;
  failure?: string | null | undefined;
}

/** A test case within the report's bounds, whatever a reporter wrote. */
export function testCase({ names, status, file, duration_ms, failure }: LooseTestCase): TestCase {
  const name = names.filter((each) => each !== "").join(" > ") || "(unnamed test)";
  return {
    name: name.slice(0, NAME_CHARACTERS_MAX),
    file: file?.slice(0, NAME_CHARACTERS_MAX) || null,
    status,
    duration_ms:
      typeof duration_ms === "number" && Number.isFinite(duration_ms)
        ? Math.max(0, Math.round(duration_ms * 1000) / 1000)
        : null,
    failure: status === "failed" ? failure?.trim().slice(0, FAILURE_CHARACTERS_MAX) || null : null,
  };
}

/** A document that names every test it counts. */
export function testDocument(format: TestFormat, tests: TestCase[], problems: string[] = []): TestDocument {
  return { format, tests, counts: countTests(tests), problems };
}

/** Documents of one kind in one text that are kept apart. */
const DOCUMENTS_MAX = 1000;

/** Adds a document to a list. Beyond the limit its tests and problems go into the last one: none is lost. */
export function addDocument(documents: TestDocument[], document: TestDocument): void {
  const last = documents.at(-1);
  if (documents.length < DOCUMENTS_MAX || !last) {
    documents.push(document);
    return;
  }
  for (const test of document.tests) last.tests.push(test);
  for (const problem of document.problems) last.problems.push(problem);
  last.counts = addCounts([last, document]);
}

function countTests(tests: readonly TestCase[]): TestCounts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const test of tests) counts[test.status] += 1;
  return counts;
}

export function addCounts(documents: readonly TestDocument[]): TestCounts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { counts } of documents) {
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
  }
  return sum;
}
