import { XMLParser } from "fast-xml-parser";
import { type TestDocument, testCase, testDocument } from "#lib/code/test-results/test-document.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

export interface FoundJunit extends TestDocument {
  start: number;
  /** Just after the last character. */
  end: number;
}

const XML_CHARACTERS_MAX = 8_000_000;
const DOCUMENTS_MAX = 1000;
const DEPTH_MAX = 50;
const DOCTYPE_CHARACTERS_MAX = 4000;
const DEPTH_REFUSED = 1000;
/** A document begins at the start of a line, or right behind its XML declaration. */
const START = /(?:^\ufeff?|\?>\s{0,100})<testsuites?(?=[\s>/])/gm;
/** What the end of a document depends on. */
const MARK = /<!\[CDATA\[|<!--|<\?|<!(?:DOCTYPE|ENTITY)|<testsuites?(?=[\s>/])|<\/testsuites?\s{0,100}>/g;

/** How pytest names its only suite, unless it is told another name. */
const PYTEST = /<testsuites?\s(?:[^>]{0,200}\s)?name="pytest(?: tests)?"/;

interface Node {
  [key: string]: unknown;
}

/**
 * JUnit's XML in the dialects of Maven, Gradle, pytest, node:test, Jest, Vitest, Mocha and others, any number
 * of documents, also in the midst of other output (https://github.com/testmoapp/junitxml). A document
 * that is cut off, broken, too large or has a DTD gives no tests and a problem: it proves nothing.
 */
export function junitInText(text: string): FoundJunit[] {
  const documents: FoundJunit[] = [];
  let from = 0;
  START.lastIndex = 0;
  for (let found = START.exec(text); found; found = START.exec(text)) {
    if (documents.length >= DOCUMENTS_MAX) break;
    const start = found.index + found[0].lastIndexOf("<");
    const span = documentEnd(text, start);
    documents.push({
      ...readDocument(text, start, span, hasDoctype(text, from, start)),
      start,
      end: span.end,
    });
    from = Math.max(span.end, start + 1);
    START.lastIndex = from;
  }
  return documents;
}

/** A DOCTYPE stands before the root element; a page of HTML that a test printed has another. */
function hasDoctype(text: string, from: number, start: number): boolean {
  return /<!DOCTYPE(?!\s{1,100}html)/i.test(
    text.slice(Math.max(from, start - DOCTYPE_CHARACTERS_MAX), start),
  );
}

interface Span {
  end: number;
  problem: string | null;
}

/** Where the element that opens at `start` is closed; comments, CDATA and instructions passed over. */
function documentEnd(text: string, start: number): Span {
  let depth = 0;
  MARK.lastIndex = start;
  for (let mark = MARK.exec(text); mark; mark = MARK.exec(text)) {
    const [tag] = mark;
    if (tag === "<![CDATA[" || tag === "<!--" || tag === "<?") {
      const close = tag === "<!--" ? "-->" : tag === "<?" ? "?>" : "]]>";
      const end = text.indexOf(close, mark.index + tag.length);
      if (end < 0) break;
      MARK.lastIndex = end + close.length;
    } else if (tag.startsWith("<!")) {
      return { end: mark.index + tag.length, problem: "a JUnit report has a DTD, which is not read" };
    } else if (tag.startsWith("</")) {
      if (--depth <= 0) return { end: MARK.lastIndex, problem: null };
    } else {
      const end = tagEnd(text, MARK.lastIndex);
      if (end < 0) break;
      MARK.lastIndex = end;
      if (text[end - 2] !== "/") depth++;
      else if (depth === 0) return { end, problem: null };
      if (depth > DEPTH_REFUSED) {
        return { end: text.length, problem: `a JUnit report nests more than ${DEPTH_REFUSED} suites` };
      }
    }
  }
  return { end: text.length, problem: "a JUnit report is cut off: its end is missing" };
}

/** Just after a tag's `>`; values in quotes may hold one. */
function tagEnd(text: string, from: number): number {
  let quote = "";
  for (let index = from; index < text.length; index++) {
    const character = text[index] ?? "";
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === ">") return index + 1;
  }
  return -1;
}

function readDocument(
  text: string,
  start: number,
  { end, problem }: Span,
  has_doctype: boolean,
): TestDocument {
  const refused = (why: string) => testDocument("junit", [], [why]);
  if (has_doctype) return refused("a JUnit report has a DTD, which is not read");
  if (problem) return refused(problem);
  if (end - start > XML_CHARACTERS_MAX) {
    return refused(`a JUnit report has more than ${XML_CHARACTERS_MAX} characters`);
  }
  try {
    const document = testDocument("junit", junitCases(parser.parse(text.slice(start, end), true)));
    return PYTEST.test(text.slice(start, start + 400)) ? { ...document, producer: "pytest" } : document;
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "it is no XML";
    return refused(`a JUnit report cannot be read: ${why}`);
  }
}

const LISTS = new Set([
  "testsuites",
  "testsuite",
  "testcase",
  "failure",
  "error",
  "skipped",
  "disabled",
  "ignored",
]);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  attributesGroupName: "$",
  parseTagValue: false,
  parseAttributeValue: false,
  // Also numeric references, which Mocha writes; there is no DTD that could define more.
  htmlEntities: true,
  processEntities: {
    enabled: true,
    maxExpandedLength: XML_CHARACTERS_MAX,
    maxTotalExpansions: XML_CHARACTERS_MAX,
  },
  isArray: (name) => LISTS.has(name),
});

interface SuiteEntry {
  node: Node;
  suites: string[];
  file: string | null;
  /** Set once the suite's content is read: how many had failed before it. */
  failed_before: number | null;
}

/**
 * Suites nest as deep as the file says, so they are walked with a stack of our own. A suite that counts
 * failures, none of which is in it, has failed itself.
 */
function junitCases(document: Node): TestCase[] {
  const cases: TestCase[] = [];
  let failed = 0;
  const add = (test: TestCase) => {
    failed += Number(test.status === "failed");
    cases.push(test);
  };
  const stack: SuiteEntry[] = [{ node: document, suites: [], file: null, failed_before: null }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { node, suites, file, failed_before } = entry;
    if (failed_before !== null) {
      const claimed = claimedFailures(node);
      if (claimed > 0 && failed === failed_before) {
        add(suiteFailure(entry, `the suite counts ${claimed} failed, and names none of them`));
      }
      continue;
    }
    stack.push({ ...entry, failed_before: failed });
    for (const test of children(node, "testcase")) add(junitCase(test, suites, file));
    // An error beside the cases: the suite itself could not be loaded, set up or torn down.
    for (const problem of [...children(node, "failure"), ...children(node, "error")]) {
      add(suiteFailure(entry, failureText(problem)));
    }
    for (const name of ["testsuite", "testsuites"]) {
      for (const suite of children(node, name).toReversed()) {
        stack.push({
          node: suite,
          suites:
            name === "testsuite" ? [...suites, attribute(suite, "name") ?? ""].slice(-DEPTH_MAX) : suites,
          file: attribute(suite, "file") ?? file,
          failed_before: null,
        });
      }
    }
  }
  return cases;
}

function claimedFailures(node: Node): number {
  const number = (name: string) => {
    const value = Number(attribute(node, name)?.replaceAll(",", "") ?? 0);
    return Number.isFinite(value) && value > 0 ? value : 0;
  };
  return number("failures") + number("errors");
}

function suiteFailure({ node, suites, file }: SuiteEntry, failure: string): TestCase {
  const names = suites.filter((suite) => suite !== "");
  const name = names.length > 0 ? names : [attribute(node, "name") ?? "test suite"];
  return testCase({ names: name, file, status: "failed", failure });
}

const FAILED_STATUS = new Set(["failed", "failure", "error", "broken"]);
const SKIPPED_STATUS = new Set(["skipped", "disabled", "ignored", "notrun", "suppressed", "pending", "todo"]);

/** Surefire's `rerunFailure`, `flakyFailure` and their like tell of other tries of the same test. */
function junitCase(test: Node, suites: readonly string[], file: string | null): TestCase {
  const [problem] = [...children(test, "failure"), ...children(test, "error")];
  const words = [attribute(test, "status"), attribute(test, "result")].map(
    (word) => word?.toLowerCase() ?? "",
  );
  const failed = problem !== undefined || words.some((word) => FAILED_STATUS.has(word));
  const skipped =
    ["skipped", "disabled", "ignored"].some((name) => children(test, name).length > 0) ||
    words.some((word) => SKIPPED_STATUS.has(word));
  const seconds = Number(attribute(test, "time")?.replaceAll(",", "") ?? Number.NaN);
  return testCase({
    names: [...container(test, suites), attribute(test, "name") ?? ""],
    file: attribute(test, "file") ?? file,
    status: failed ? "failed" : skipped ? "skipped" : "passed",
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
