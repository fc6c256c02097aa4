import { XMLParser } from "fast-xml-parser";
import { testCase } from "#lib/code/test-results/test-case.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const XML_CHARACTERS_MAX = 8_000_000;
const START = /<testsuites?[\s>]/;
const ENDS = ["</testsuites>", "</testsuite>"];
const DEPTH_MAX = 50;

interface Node {
  [key: string]: unknown;
}

/**
 * JUnit's XML in the dialects of Maven, pytest, node:test, Jest and Vitest, also in the midst of
 * other output (https://github.com/testmoapp/junitxml). Documents with a DTD are not read.
 */
export function parseJunit(text: string): TestCase[] | null {
  const start = START.exec(text)?.index ?? -1;
  const end = Math.max(...ENDS.map((tag) => endOfLast(text, tag)));
  if (start < 0 || end <= start || end - start > XML_CHARACTERS_MAX) return null;
  const xml = text.slice(start, end);
  if (xml.includes("<!DOCTYPE") || xml.includes("<!ENTITY")) return null;
  try {
    return junitCases(parser.parse(xml));
  } catch {
    return null;
  }
}

function endOfLast(text: string, tag: string): number {
  const position = text.lastIndexOf(tag);
  return position < 0 ? -1 : position + tag.length;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  attributesGroupName: "$",
  parseTagValue: false,
  parseAttributeValue: false,
  // Also numeric references, which Mocha writes; there is no DTD that could define more.
  htmlEntities: true,
  isArray: (name) => ["testsuites", "testsuite", "testcase", "failure", "error", "skipped"].includes(name),
});

/** Suites nest as deep as the file says, so they are walked with a stack of our own. */
function junitCases(document: Node): TestCase[] {
  const cases: TestCase[] = [];
  const stack = [{ node: document, suites: [] as string[], file: null as string | null }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { node, suites, file } = entry;
    for (const test of children(node, "testcase")) cases.push(junitCase(test, suites, file));
    const inner = [
      ...children(node, "testsuites").map((suite) => ({ suite, name: "" })),
      ...children(node, "testsuite").map((suite) => ({ suite, name: attribute(suite, "name") ?? "" })),
    ];
    for (const { suite, name } of inner.toReversed()) {
      stack.push({
        node: suite,
        suites: [...suites, name].slice(-DEPTH_MAX),
        file: attribute(suite, "file") ?? file,
      });
    }
  }
  return cases;
}

function junitCase(test: Node, suites: readonly string[], file: string | null): TestCase {
  const [problem] = [...children(test, "failure"), ...children(test, "error")];
  const skipped = children(test, "skipped").length > 0;
  const seconds = Number(attribute(test, "time")?.replaceAll(",", "") ?? Number.NaN);
  return testCase({
    names: [...container(test, suites), attribute(test, "name") ?? ""],
    file: attribute(test, "file") ?? file,
    status: problem ? "failed" : skipped ? "skipped" : "passed",
    duration_ms: seconds * 1000,
    failure: problem && failureText(problem),
  });
}

/** Some dialects say where a test belongs by `classname`, some by the suites around it. */
function container(test: Node, suites: readonly string[]): readonly string[] {
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

/** An element without attributes and children comes as its text. */
function children(node: Node, name: string): Node[] {
  const found = node[name];
  if (!Array.isArray(found)) return [];
  return found.map((child) => (typeof child === "object" && child !== null ? child : { "#text": child }));
}

function attribute(node: Node, name: string): string | undefined {
  const attributes = node.$;
  if (typeof attributes !== "object" || attributes === null || !Object.hasOwn(attributes, name))
    return undefined;
  const value = (attributes as Node)[name];
  return typeof value === "string" ? value : undefined;
}
