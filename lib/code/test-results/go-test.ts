import { z } from "zod";
import { leafCases, type NestedResult } from "#lib/code/test-results/nested-results.ts";
import { type TestDocument, testCase, testDocument } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const Event = z.object({
  Action: z.enum(["start", "run", "pause", "cont", "pass", "bench", "fail", "output", "skip"]),
  Package: z.string(),
  Test: z.string().optional(),
  Elapsed: z.number().optional(),
  Output: z.string().optional(),
});

/** A package that did not compile: https://pkg.go.dev/cmd/go#hdr-Build__json_encoding */
const BuildFailure = z.object({ Action: z.literal("build-fail"), ImportPath: z.string() });

const OUTPUT_CHARACTERS_MAX = 8000;
const STATUS = { pass: "passed", fail: "failed", skip: "skipped" } as const;

interface GoTest extends NestedResult {
  output: string;
  ended: boolean;
}

interface GoPackage {
  ended: "pass" | "fail" | "skip" | null;
  output: string;
  tests: Map<string, GoTest>;
}

/**
 * `go test -json` (`go doc test2json`): an object a line, of any number of packages at once. A test with
 * subtests is their container. A package that fails without a failed test did not build, or ended early.
 */
export function goTestDocuments(values: readonly unknown[]): TestDocument[] {
  const documents: TestDocument[] = [];
  let packages = new Map<string, GoPackage>();
  let unbuilt: string | undefined;
  for (const value of values) {
    unbuilt ??= BuildFailure.safeParse(value).data?.ImportPath;
    const event = Event.safeParse(value).data;
    if (!event) continue;
    // A package that runs a second time belongs to the next run of `go test`.
    const before = packages.get(event.Package);
    if (event.Action === "start" && before?.ended) {
      documents.push(goDocument(packages));
      packages = new Map();
    }
    const go_package = packages.get(event.Package) ?? { ended: null, output: "", tests: new Map() };
    packages.set(event.Package, go_package);
    takeEvent(go_package, event);
  }
  if (packages.size > 0) documents.push(goDocument(packages));
  // Its package fails too, which counts. Where go test does not get to say so, the run proves nothing.
  if (unbuilt !== undefined && documents.every(({ counts }) => counts.failed === 0)) {
    documents.push(testDocument("go-test", [], [`the package ${unbuilt.slice(0, 200)} did not build`]));
  }
  return documents;
}

function takeEvent(
  go_package: GoPackage,
  { Action, Test, Elapsed, Output = "" }: z.infer<typeof Event>,
): void {
  const ended = Action === "pass" || Action === "fail" || Action === "skip" ? Action : null;
  if (Test === undefined) {
    if (Action === "output") go_package.output = appended(go_package.output, Output);
    if (ended) go_package.ended = ended;
    return;
  }
  const test = go_package.tests.get(Test) ?? newTest(Test);
  go_package.tests.set(Test, test);
  if (Action === "output" && !/^\s*(?:=== (?:RUN|PAUSE|CONT|NAME)|--- )/.test(Output)) {
    test.output = appended(test.output, Output);
  }
  if (!ended) return;
  test.ended = true;
  test.status = STATUS[ended];
  test.duration_ms = Elapsed === undefined ? null : Elapsed * 1000;
}

function newTest(name: string): GoTest {
  const nothing = { status: "failed", duration_ms: null, file: null, failure: null } as const;
  return { name, ...nothing, children: [], output: "", ended: false };
}

function appended(text: string, more: string): string {
  return text.length >= OUTPUT_CHARACTERS_MAX ? text : (text + more).slice(0, OUTPUT_CHARACTERS_MAX);
}

function goDocument(packages: ReadonlyMap<string, GoPackage>): TestDocument {
  const tests: TestCase[] = [];
  const problems: string[] = [];
  for (const [name, go_package] of packages) {
    const cases = leafCases([{ ...newTest(name), status: "passed", children: roots(go_package) }]);
    const named = go_package.tests.size === 0 ? [] : cases;
    tests.push(...named);
    if (go_package.ended === "fail" && !named.some((test) => test.status === "failed")) {
      tests.push(testCase({ names: [name], status: "failed", failure: go_package.output }));
    }
    if (go_package.ended === null) {
      problems.push(`the output of go test is cut off: how ${name.slice(0, 200)} ended is missing`);
    }
  }
  return testDocument("go-test", tests, problems);
}

/** Tests by their names' slashes: `TestA/b` belongs to `TestA`. One that never ended counts as failed. */
function roots({ tests }: GoPackage): NestedResult[] {
  const found: NestedResult[] = [];
  for (const [name, test] of tests) {
    if (test.status === "failed") test.failure = test.ended ? test.output : `it did not end\n${test.output}`;
    const slash = name.lastIndexOf("/");
    const parent = slash < 0 ? undefined : tests.get(name.slice(0, slash));
    if (parent) test.name = name.slice(slash + 1);
    (parent?.children ?? found).push(test);
  }
  return found;
}
