import { cargoDocuments } from "#lib/code/test-results/cargo-test.ts";
import { goTestDocuments } from "#lib/code/test-results/go-test.ts";
import { jsonInText } from "#lib/code/test-results/json-documents.ts";
import { cutReport, jsonReport, mochaStreams } from "#lib/code/test-results/json-reports.ts";
import { junitInText } from "#lib/code/test-results/junit.ts";
import { parseNodeTest } from "#lib/code/test-results/node-test.ts";
import { pytestDocuments } from "#lib/code/test-results/pytest-summary.ts";
import { type PlacedDocument, repeatsIn } from "#lib/code/test-results/same-run.ts";
import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import { parseTap } from "#lib/code/test-results/tap.ts";
import { addCounts, type TestDocument, type TestFormat } from "#lib/code/test-results/test-document.ts";
import type { TestCase, TestReportSource } from "#schemas/artifacts/build-test-report.ts";

export interface TestOutput {
  stdout: string;
  stderr: string;
  /** Report files the test wrote into the tree. */
  files: readonly { path: string; text: string }[];
  /** The tree's path as the test saw it: what reporters call files is told relative to it. */
  tree: string;
}

export interface TestResults {
  format: TestFormat | "several" | "none";
  /** At most 20,000, the failed ones kept first. A format that only counts names fewer than it counts. */
  tests: TestCase[];
  passed: number;
  failed: number;
  skipped: number;
  /** Why the reports, whatever they count, are no proof that the tests passed. At most 50. */
  problems: string[];
  /** Every document that was found, at most 500. */
  reports: TestReportSource[];
}

const TESTS_MAX = 20_000;
const PROBLEMS_MAX = 50;
const REPORTS_MAX = 500;
/** Failure texts of one report together; later ones are left out. */
const FAILURES_CHARACTERS_MAX = 2_000_000;

/**
 * Reads every report of every format in a run's output and in its report files, and adds them up. A run that is told
 * twice, in two formats or in two places, counts once. Takes and gives plain data, keeps no state, and looks
 * at each character a fixed number of times. Whatever the text is, this neither throws nor hangs.
 */
export function parseTestResults({ stdout, stderr, files, tree }: TestOutput): TestResults {
  const documents: PlacedDocument[] = [
    ...[stdout, stderr].flatMap((text) =>
      readText(text).map((document) => ({ ...document, where: "output" })),
    ),
    ...files.flatMap(({ path, text }) => readText(text).map((document) => ({ ...document, where: path }))),
  ];
  const repeats = repeatsIn(documents);
  const counted = documents.filter((document) => !repeats.has(document));
  const counts = addCounts(counted);
  const formats = [...new Set(counted.map(({ format }) => format))];
  return {
    format: formats.length > 1 ? "several" : (formats[0] ?? "none"),
    tests: withinBounds(counted.flatMap(({ tests }) => tests)).map((test) => ({
      ...test,
      file: relativeFile(test.file, tree),
    })),
    ...counts,
    problems: documents.flatMap(({ problems }) => problems).slice(0, PROBLEMS_MAX),
    reports: documents.slice(0, REPORTS_MAX).map((document) => ({
      format: document.format,
      where: document.where,
      ...document.counts,
      repeats: repeats.get(document) ?? null,
    })),
  };
}

/** Every document in a text. What belongs to one is not looked at for another. */
function readText(text: string): TestDocument[] {
  const plain = stripAnsi(text);
  const junit = junitInText(plain);
  const without_xml = withoutSpans(plain, junit);
  const json = jsonInText(without_xml);
  const values = json.documents.map(({ value }) => value);
  const lines = withoutSpans(without_xml, json.documents).split(/\r\n|\n|\r/);
  return [
    ...values.flatMap((value) => jsonReport(value) ?? []),
    ...json.broken.flatMap(
      ({ start, end }) => cutReport(without_xml.slice(start, Math.min(end, start + 200))) ?? [],
    ),
    ...mochaStreams(values),
    ...goTestDocuments(values),
    ...junit.map(({ start: _start, end: _end, ...document }) => document),
    ...parseNodeTest(lines),
    ...parseTap(lines),
    ...cargoDocuments(lines),
    ...pytestDocuments(lines),
  ];
}

/** The text with a line end in place of each span. */
function withoutSpans(text: string, spans: readonly { start: number; end: number }[]): string {
  const parts: string[] = [];
  let position = 0;
  for (const { start, end } of spans) {
    parts.push(text.slice(position, start), "\n");
    position = end;
  }
  return parts.length === 0 ? text : [...parts, text.slice(position)].join("");
}

function relativeFile(file: string | null, tree: string): string | null {
  const path = file?.replace(/^file:\/\//, "");
  return path?.startsWith(`${tree}/`) ? path.slice(tree.length + 1) : (path ?? null);
}

function withinBounds(all: readonly TestCase[]): TestCase[] {
  const failed = all.filter((test) => test.status === "failed").length;
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
