import { testCase } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const ELEMENTS = [
  ...["testcase", "testsuite", "testsuites"],
  ...["failure", "error", "skipped", "disabled", "ignored"],
] as const;
/** The elements that count, in small letters and without a prefix. */
export const JUNIT_ELEMENTS: ReadonlySet<string> = new Set(ELEMENTS);
/** What a test printed, properties, and Surefire's `rerunFailure`, `flakyError` and their like: other tries of the same test. */
const NOT_READ = /^(?:\$|#text|system-out|system-err|properties|(?:rerun|flaky).*)$/;
const DEPTH_MAX = 50;
const PROBLEMS_MAX = 100;
/** Attributes by which the dialects count what did not pass. */
const FAILED_COUNTS = ["failures", "errors", "failed", "aborted"];

interface Node {
  [key: string]: unknown;
}

/** The elements that count in another one, also in elements of other names between them. */
type Contents = Record<(typeof ELEMENTS)[number], Node[]>;

/** The whole document, a suite, or a test that has tests in it. */
interface Container {
  kind: "document" | "testsuites" | "testsuite" | "testcase";
  node: Node;
  contents: Contents;
  suites: readonly string[];
  file: string | null;
  parent: Container | null;
  /** How much had been found when its content was begun; null until then. */
  before: { failed: number; problems: number } | null;
  /** Tests in it, at any depth. */
  named: number;
  skipped: number;
  /** False when `tests` counts something else, such as assertions. */
  claims_tests: boolean;
}

/**
 * The tests of a parsed document of JUnit XML.
 *
 * @param options.claims_checked false for a runner whose `tests` attribute counts more than its tests
 */
export function readJunitCases(document: object, { claims_checked }: { claims_checked: boolean }) {
  const reader = new CaseReader(claims_checked);
  reader.read({ ...(document as Node) });
  return { cases: reader.cases, problems: reader.problems };
}

/**
 * Suites nest as deep as the file says, so they are walked with a stack of our own. A suite that counts failures, none of
 * which is in it, has failed itself. One that counts more tests than it has is cut short: a problem.
 */
class CaseReader {
  readonly cases: TestCase[] = [];
  readonly problems: string[] = [];
  readonly #claims_checked: boolean;
  readonly #stack: Container[] = [];
  #failed = 0;

  constructor(claims_checked: boolean) {
    this.#claims_checked = claims_checked;
  }

  read(document: Node): void {
    this.#push("document", document, contentsOf(document), null, []);
    for (let next = this.#stack.pop(); next; next = this.#stack.pop()) {
      if (next.before === null) {
        next.before = { failed: this.#failed, problems: this.problems.length };
        this.#stack.push(next);
        this.#enter(next);
      } else this.#leave(next, next.before);
    }
  }

  #push(
    kind: Container["kind"],
    node: Node,
    contents: Contents,
    parent: Container | null,
    suites: readonly string[],
  ): void {
    this.#stack.push({
      ...{ kind, node, contents, parent, suites },
      file: attribute(node, "file") ?? parent?.file ?? null,
      ...{ before: null, named: 0, skipped: 0 },
      claims_tests: this.#claims_checked && !countsAssertions(node, contents),
    });
  }

  #enter(container: Container): void {
    const { kind, contents, suites } = container;
    for (const name of ["testsuite", "testsuites"] as const) {
      for (const suite of contents[name].toReversed()) {
        const path = name === "testsuite" ? [...suites, attribute(suite, "name") ?? ""] : suites;
        this.#push(name, suite, contentsOf(suite), container, path.slice(-DEPTH_MAX));
      }
    }
    for (const test of contents.testcase) {
      const inner = contentsOf(test);
      if (hasTests(inner)) {
        const path = [...suites, attribute(test, "name") ?? ""].slice(-DEPTH_MAX);
        this.#push("testcase", test, inner, container, path);
      } else this.#add(junitCase(test, inner, container), container);
    }
    if (kind === "testcase") return;
    // An error beside the cases: the suite itself could not be loaded, set up or torn down.
    for (const problem of [...contents.failure, ...contents.error]) {
      this.#add(suiteFailure(container, failureText(problem)), null);
    }
  }

  #leave(container: Container, before: { failed: number; problems: number }): void {
    const { kind, node, contents, parent } = container;
    const failed_inside = this.#failed > before.failed;
    if (kind === "testcase" && parent) {
      const test = junitCase(node, contents, parent);
      if (test.status === "failed" && !failed_inside) this.#add(test, null);
    } else if (claimed(node, ...FAILED_COUNTS) > 0 && !failed_inside) {
      const count = claimed(node, ...FAILED_COUNTS);
      this.#add(suiteFailure(container, `the suite counts ${count} failed, and names none of them`), null);
    } else if (container.claims_tests && !failed_inside && this.problems.length === before.problems) {
      this.#checkClaim(container);
    }
    this.#checkCounts(container);
    if (!parent) return;
    // node:test counts a suite in a suite as one test.
    const nested = kind === "testcase" || (kind === "testsuite" && parent.kind === "testsuite");
    parent.named += nested ? Math.max(1, container.named) : container.named;
    parent.skipped += container.skipped;
    parent.claims_tests &&= container.claims_tests;
  }

  /** Some dialects count skipped tests and do not name them. */
  #checkClaim({ node, named, skipped }: Container): void {
    const tests = claimed(node, "tests");
    const skipped_unnamed = Math.max(0, claimed(node, "skipped", "skip", "disabled", "ignored") - skipped);
    if (tests - skipped_unnamed <= named) return;
    const name = attribute(node, "name")?.slice(0, 200);
    this.problems.push(
      `the JUnit report counts ${tests} tests${name ? ` in ${name}` : ""}, and names ${named}: it is not complete`,
    );
  }

  /** What is no number may hide a failure. */
  #checkCounts({ kind, node }: Container): void {
    if (kind === "testcase" || kind === "document") return;
    for (const name of ["tests", ...FAILED_COUNTS]) {
      const words = attribute(node, name)?.trim();
      if (words === undefined || words === "" || Number(words.replaceAll(",", "")) >= 0) continue;
      const shown = JSON.stringify(words.slice(0, 100));
      if (this.problems.length < PROBLEMS_MAX)
        this.problems.push(`the JUnit report says ${name}=${shown}, which is no count`);
    }
  }

  #add(test: TestCase, container: Container | null): void {
    this.#failed += Number(test.status === "failed");
    this.cases.push(test);
    if (!container) return;
    container.named += 1;
    container.skipped += Number(test.status === "skipped");
  }
}

function contentsOf(node: Node): Contents {
  const contents = Object.fromEntries(ELEMENTS.map((name) => [name, [] as Node[]])) as Contents;
  const stack = [node];
  for (let next = stack.pop(); next; next = stack.pop()) {
    for (const [name, value] of Object.entries(next)) {
      if (NOT_READ.test(name)) continue;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (JUNIT_ELEMENTS.has(name)) contents[name as keyof Contents].push(asNode(child));
        else if (typeof child === "object" && child !== null) stack.push(child);
      }
    }
  }
  return contents;
}

/** An element without attributes and children comes as its text. */
function asNode(child: unknown): Node {
  return typeof child === "object" && child !== null ? (child as Node) : { "#text": child };
}

function hasTests({ testcase, testsuite, testsuites }: Contents): boolean {
  return testcase.length > 0 || testsuite.length > 0 || testsuites.length > 0;
}

/** Catch2 and doctest count assertions as `tests`. They are told by the host `tbd`, and by a status without a result. */
function countsAssertions(node: Node, { testcase }: Contents): boolean {
  if (attribute(node, "hostname") === "tbd") return true;
  return (
    testcase.length > 0 &&
    testcase.every((test) => attribute(test, "status") === "run" && attribute(test, "result") === undefined)
  );
}

/** The sum of counts that an element has as attributes. */
function claimed(node: Node, ...names: string[]): number {
  let sum = 0;
  for (const name of names) {
    const value = Number(attribute(node, name)?.replaceAll(",", "") ?? 0);
    if (Number.isFinite(value) && value > 0) sum += value;
  }
  return sum;
}

function suiteFailure({ node, suites, file }: Container, failure: string): TestCase {
  const names = suites.filter((suite) => suite !== "");
  const name = names.length > 0 ? names : [attribute(node, "name") ?? "test suite"];
  return testCase({ names: name, file, status: "failed", failure });
}

const FAILED_STATUS = new Set([
  ...["fail", "failed", "failure", "error", "errored", "broken", "crashed"],
  ...["aborted", "interrupted", "timeout", "timedout", "timed out", "timed-out"],
]);
const SKIPPED_STATUS = new Set(["skipped", "disabled", "ignored", "notrun", "suppressed", "pending", "todo"]);

function junitCase(test: Node, contents: Contents, { suites, file }: Container): TestCase {
  const [problem] = [...contents.failure, ...contents.error];
  const words = [attribute(test, "status"), attribute(test, "result")].map(
    (word) => word?.toLowerCase() ?? "",
  );
  const failed = problem !== undefined || words.some((word) => FAILED_STATUS.has(word));
  const skipped =
    contents.skipped.length + contents.disabled.length + contents.ignored.length > 0 ||
    words.some((word) => SKIPPED_STATUS.has(word));
  const seconds = Number(attribute(test, "time")?.replaceAll(",", "") ?? Number.NaN);
  return testCase({
    names: [...pathOf(test, suites), attribute(test, "name") ?? ""],
    file: attribute(test, "file") ?? file,
    status: failed ? "failed" : skipped ? "skipped" : "passed",
    duration_ms: seconds * 1000,
    failure: problem && failureText(problem),
  });
}

/** Some dialects say where a test belongs by `classname`, some by the suites around it. */
function pathOf(test: Node, suites: readonly string[]): readonly string[] {
  const classname = attribute(test, "classname");
  const named = suites.filter((suite) => suite !== "");
  if (!classname || classname === "test" || classname === named.join(".")) return named;
  return [classname];
}

function failureText(problem: Node): string {
  const text = typeof problem["#text"] === "string" ? problem["#text"] : "";
  const message = attribute(problem, "message") ?? "";
  return text.includes(message) ? text : `${message}\n${text}`;
}

function attribute(node: Node, name: string): string | undefined {
  const attributes = node.$;
  if (typeof attributes !== "object" || attributes === null || !Object.hasOwn(attributes, name))
    return undefined;
  const value = (attributes as Node)[name];
  return typeof value === "string" ? value : undefined;
}
