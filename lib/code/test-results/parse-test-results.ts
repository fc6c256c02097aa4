import { cargoDocuments } from "#lib/code/test-results/cargo-test.ts";
import { documentsInText } from "#lib/code/test-results/documents-in-text.ts";
import { goTestDocuments } from "#lib/code/test-results/go-test.ts";
import { jsonReport, mochaStreams, withoutLists } from "#lib/code/test-results/json-reports.ts";
import { parseNodeTest } from "#lib/code/test-results/node-test.ts";
import { linesByPrefix } from "#lib/code/test-results/prefixed-lines.ts";
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
  const documents: PlacedDocument[] = [stdout, stderr].flatMap((text) =>
    readText(text).map((document) => ({ ...document, where: "output" })),
  );
  const unreadable: string[] = [];
  for (const { path, text } of files) {
    const in_file = readText(text);
    if (in_file.length === 0) unreadable.push(unreadableReport(path, text));
    for (const document of in_file) documents.push(inFile(document, path));
  }
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
    problems: [...unreadable, ...documents.flatMap(({ problems }) => problems)].slice(0, PROBLEMS_MAX),
    reports: documents.slice(0, REPORTS_MAX).map((document) => ({
      format: document.format,
      where: document.where,
      ...document.counts,
      repeats: repeats.get(document) ?? null,
    })),
  };
}

function inFile(document: TestDocument, path: string): PlacedDocument {
  return { ...document, where: path, problems: document.problems.map((problem) => `${path}: ${problem}`) };
}

/** Why a report file fails the run in which no document is found: nothing is known of its tests. */
function unreadableReport(path: string, text: string): string {
  const root = /<([A-Za-z_][\w.:-]{0,99})[\s>/]/.exec(text.slice(0, HEAD_CHARACTERS))?.[1];
  let why = "it holds no TAP, no JUnit XML and no JSON of a known runner";
  if (text.trim() === "") why = "it is empty";
  else if (root !== undefined) why = `it is no JUnit XML: its root element is <${root}>`;
  return `the report file ${path} cannot be read: ${why}`;
}

const HEAD_CHARACTERS = 4000;

/** Every document in a text, also in lines whose prefix says of which package they are. */
function readText(text: string): TestDocument[] {
  const { documents, lines } = readDocuments(stripAnsi(text));
  const read = new Set<number>();
  for (const group of linesByPrefix(lines)) {
    const inner = readDocuments(group.lines.join("\n"));
    const in_group = [...inner.documents, ...readLines(inner.lines)];
    if (in_group.length === 0) continue;
    for (const document of in_group) documents.push(document);
    for (const place of group.places) read.add(place);
  }
  return [...documents, ...readLines(read.size === 0 ? lines : lines.filter((_, place) => !read.has(place)))];
}

/** Documents in XML and JSON, and the lines that are left. What belongs to one is not looked at for another. */
function readDocuments(text: string) {
  const { junit, json, broken, rest } = documentsInText(text);
  const values = withoutLists(json);
  const documents: TestDocument[] = [
    ...values.flatMap((value) => jsonReport(value) ?? []),
    ...broken,
    ...mochaStreams(values),
    ...goTestDocuments(values),
    ...junit,
  ];
  return { documents, lines: rest.split(/\r\n|\n|\r/) };
}

function readLines(lines: readonly string[]): TestDocument[] {
  return [...parseNodeTest(lines), ...parseTap(lines), ...cargoDocuments(lines), ...pytestDocuments(lines)];
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
