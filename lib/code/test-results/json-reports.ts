import { z } from "zod";
import { type TestDocument, testCase, testDocument } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const Count = z.number().nullish().catch(null);

/** The shape that Jest's `--json` and Vitest's `json` reporter share, as far as it is read. */
const JestShape = z.object({
  numTotalTests: z.number(),
  /** Jest only: this is how the two are told apart. */
  numRuntimeErrorTestSuites: z.number().optional(),
  numFailedTests: Count,
  numPassedTests: Count,
  numFailedTestSuites: Count,
  success: z.boolean().nullish().catch(null),
  wasInterrupted: z.boolean().nullish().catch(null),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string().nullish(),
      message: z.string().nullish(),
      /** Jest's own results, as a reporter may write them out. */
      testExecError: z.unknown().optional(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()).nullish(),
          title: z.string(),
          status: z.string(),
          duration: z.number().nullish(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});
type JestShape = z.infer<typeof JestShape>;

const MochaTest = z.object({
  title: z.string(),
  fullTitle: z.string(),
  file: z.string().nullish(),
  duration: z.number().nullish(),
  err: z.object({ message: z.string().nullish(), stack: z.string().nullish() }).nullish(),
});
type MochaTest = z.infer<typeof MochaTest>;

/** Mocha's `json` reporter (https://mochajs.org/#json). `tests` in it lacks failed hooks, so the outcomes are read. */
const MochaShape = z.object({
  stats: z.object({ tests: z.number(), passes: z.number(), failures: z.number() }),
  passes: z.array(MochaTest),
  failures: z.array(MochaTest),
  pending: z.array(MochaTest).default([]),
});

/** What makes an object a report of one of the two, readable or not. */
const JestLike = z.object({ numTotalTests: z.unknown(), testResults: z.array(z.unknown()) });
const MochaLike = z.object({
  stats: z.object({ tests: z.unknown(), passes: z.unknown(), failures: z.unknown() }),
  passes: z.unknown(),
  failures: z.unknown(),
});

/** What the beginning of a report looks like when the rest is not there. */
const CUT_HEAD =
  /^\{\s{0,20}"(?:num(Total|Failed)Test\w{0,20}"|stats"\s{0,20}:\s{0,20}\{\s{0,20}"(?:suites|tests)")/;

/** A report that is cut off or broken, told by how it begins; null for any other text. */
export function cutReport(head: string): TestDocument | null {
  const found = CUT_HEAD.exec(head);
  if (!found) return null;
  const format = found[1] === undefined ? "mocha-json" : found[1] === "Total" ? "vitest-json" : "jest-json";
  return testDocument(format, [], [`a ${format} report is cut off or broken: it cannot be read`]);
}

/** The items of lists of reports or events, as a tool that gathers them writes it, in place of each list. */
export function withoutLists(values: readonly unknown[]): unknown[] {
  return values.flatMap((value) =>
    Array.isArray(value) && value.every((item) => typeof item === "object") ? value : [value],
  );
}

/** A document of Jest, Vitest or Mocha out of parsed JSON; null for any other JSON. */
export function jsonReport(value: unknown): TestDocument | null {
  const jest = JestShape.safeParse(value).data;
  if (jest) return jestDocument(jest);
  const mocha = MochaShape.safeParse(value).data;
  if (mocha) return mochaDocument(mocha);
  const format = has(JestLike, value) ? "jest-json" : has(MochaLike, value) ? "mocha-json" : null;
  return format && testDocument(format, [], [`a ${format} report cannot be read: it has another form`]);
}

function has(shape: z.ZodObject, value: unknown): boolean {
  const keys = Object.keys(shape.shape);
  return (
    typeof value === "object" &&
    value !== null &&
    keys.every((key) => Object.hasOwn(value, key)) &&
    shape.safeParse(value).success
  );
}

function jestDocument(report: JestShape): TestDocument {
  const tests = report.testResults.flatMap(jestFile);
  const counted = (status: TestCase["status"]) => tests.filter((test) => test.status === status).length;
  const failed = counted("failed");
  const format = report.numRuntimeErrorTestSuites === undefined ? "vitest-json" : "jest-json";
  const suites_failed = report.numFailedTestSuites || report.numRuntimeErrorTestSuites ? 1 : 0;
  const claimed = Math.max(report.numFailedTests ?? 0, suites_failed);
  const problems = [
    ...moreThanNamed(format, [
      ["failed", claimed, failed],
      ["passed", report.numPassedTests ?? 0, counted("passed")],
      ["tests", report.numTotalTests, tests.length],
    ]),
    ...unknownStatuses(format, report),
  ];
  if (report.wasInterrupted) problems.push(`the ${format} report says that the run was interrupted`);
  if (problems.length === 0 && report.success === false && failed === 0 && tests.length > 0) {
    problems.push(`the ${format} report says that the run did not succeed, and names no failed test`);
  }
  return testDocument(format, tests, problems);
}

/** The first count that is more than what is named: `[what, counted, named]`. */
function moreThanNamed(format: string, counts: readonly [string, number, number][]): string[] {
  const more = counts.find(([, counted, named]) => counted > named);
  return more ? [`the ${format} report counts ${more[1]} ${more[0]}, and names ${more[2]}`] : [];
}

const SKIPPED_STATUS = new Set(["skipped", "pending", "todo", "disabled", "focused"]);

/** Of a status that is not known nothing is known: the test is not counted as passed, and it may have failed. */
function unknownStatuses(format: string, { testResults }: JestShape): string[] {
  const statuses = new Set(
    testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status)),
  );
  return [...statuses]
    .filter((status) => status !== "passed" && status !== "failed" && !SKIPPED_STATUS.has(status))
    .map(
      (status) =>
        `the ${format} report has a test with the unknown status ${JSON.stringify(status.slice(0, 100))}`,
    );
}

/** A file that could not even be loaded has no tests, and counts as one that failed. */
function jestFile({
  name: file,
  status,
  message,
  testExecError,
  assertionResults,
}: JestShape["testResults"][number]): TestCase[] {
  const cases = assertionResults.map((test) =>
    testCase({
      names: [...(test.ancestorTitles ?? []), test.title],
      file,
      status: test.status === "passed" || test.status === "failed" ? test.status : "skipped",
      duration_ms: test.duration,
      failure: test.failureMessages?.join("\n"),
    }),
  );
  const not_loaded = status === "failed" || (testExecError !== undefined && testExecError !== null);
  const broken = not_loaded && !cases.some((test) => test.status === "failed");
  return broken ? [...cases, testCase({ names: [file], file, status: "failed", failure: message })] : cases;
}

function mochaDocument({ stats, passes, failures, pending }: z.infer<typeof MochaShape>): TestDocument {
  const problems = moreThanNamed("mocha-json", [
    ["failed", stats.failures, failures.length],
    ["passed", stats.passes, passes.length],
    ["tests", stats.tests, passes.length + failures.length + pending.length],
  ]);
  const tests = [
    ...passes.map((test) => mochaCase(test, "passed")),
    ...failures.map((test) => mochaCase(test, "failed")),
    ...pending.map((test) => mochaCase(test, "skipped")),
  ];
  return testDocument("mocha-json", tests, problems);
}

/** Mocha joins the suites with spaces, so where one ends is not to be told: they stay one name. */
function mochaCase(test: MochaTest, status: TestCase["status"]): TestCase {
  const suites = test.fullTitle.endsWith(test.title)
    ? test.fullTitle.slice(0, -test.title.length || undefined).trim()
    : "";
  return testCase({
    names: [suites, test.title],
    file: test.file,
    status,
    duration_ms: test.duration,
    failure: test.err?.stack ?? test.err?.message,
  });
}

const StreamTest = z.object({
  title: z.string(),
  fullTitle: z.string(),
  file: z.string().nullish(),
  duration: z.number().nullish(),
  err: z.string().nullish().catch(null),
  stack: z.string().nullish().catch(null),
});
const StreamEvent = z.union([
  z.tuple([z.literal("start"), z.object({ total: z.number() })]),
  z.tuple([z.enum(["pass", "fail"]), StreamTest]),
  z.tuple([z.literal("end"), z.object({ passes: z.number(), failures: z.number(), pending: z.number() })]),
]);

/**
 * Mocha's `json-stream` reporter: an array a line, `start`, `pass`, `fail`, `end`. Pending tests have no
 * line; `end` counts them. Values of any other kind are passed over.
 */
export function mochaStreams(values: readonly unknown[]): TestDocument[] {
  const documents: TestDocument[] = [];
  let open: TestDocument | null = null;
  let total = 0;
  const cutOff = () => {
    if (open)
      documents.push({ ...open, problems: ["a json-stream of Mocha is cut off: its end is missing"] });
    open = null;
  };
  for (const value of values) {
    if (!Array.isArray(value)) continue;
    const event = StreamEvent.safeParse(value).data;
    if (!event) continue;
    if (event[0] === "start") {
      cutOff();
      total = event[1].total;
      open = testDocument("mocha-json", []);
    } else if (open && event[0] === "end") {
      const { passes, failures, pending } = event[1];
      const problems = moreThanNamed("mocha-json", [
        ["failed", failures, open.counts.failed],
        ["passed", passes, open.counts.passed],
        ["tests", total, open.tests.length + pending],
      ]);
      documents.push({ ...open, counts: { ...open.counts, skipped: pending }, problems });
      open = null;
    } else if (open && (event[0] === "pass" || event[0] === "fail")) {
      const { err, stack, ...test } = event[1];
      const status = event[0] === "pass" ? "passed" : "failed";
      open.tests.push(mochaCase({ ...test, err: { message: err, stack } }, status));
      open.counts[status] += 1;
    }
  }
  cutOff();
  return documents;
}
