import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentsInText } from "#lib/code/test-results/documents-in-text.ts";

const parseJunit = (text: string) => {
  const found = documentsInText(text).junit;
  return found.length === 0 ? null : found.flatMap(({ tests }) => tests);
};
const counted = (text: string) =>
  documentsInText(text).junit.map(({ counts: { passed, failed, skipped }, problems }) => [
    passed,
    failed,
    skipped,
    problems.length,
  ]);

describe("JUnit XML", () => {
  it("of node:test gives nested suites", () => {
    const tests = parseJunit(readFileSync(join(import.meta.dirname, "fixtures/node-test.junit.xml"), "utf8"));
    expect(new Set(tests?.map(({ name, status }) => `${status}: ${name}`))).toEqual(
      new Set([
        "passed: math > adds",
        "failed: math > subtracts",
        "skipped: math > later",
        "skipped: math > todo one",
        "passed: math > deep > a # b",
        "passed: top level > sub",
        "skipped: b passes",
        "passed: b2",
      ]),
    );
    const failed = tests?.find((test) => test.status === "failed");
    expect(failed?.failure).toContain("2 !== 1");
    expect(failed?.failure).toContain("TestContext.<anonymous>");
    expect(failed).toMatchObject({ file: "/workspace/a.test.mjs", duration_ms: 0.698 });
  });

  it("of pytest gives class names and errors, amid other output", () => {
    const tests = parseJunit(`noise
<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="2">
<testcase classname="tests.test_a" name="test_one" time="1,000.5" />
<testcase classname="tests.test_a" name="test_two"><error message="boom &amp; bust">trace</error></testcase>
</testsuite></testsuites> more noise`);
    expect(tests).toEqual([
      {
        name: "tests.test_a > test_one",
        file: null,
        status: "passed",
        duration_ms: 1_000_500,
        failure: null,
      },
      {
        name: "tests.test_a > test_two",
        file: null,
        status: "failed",
        duration_ms: null,
        failure: "boom & bust\ntrace",
      },
    ]);
  });

  it("of Mocha's xunit gives failures with their references decoded", () => {
    const [test] =
      parseJunit(`<testsuite name="Mocha Tests" tests="1"><testcase classname="set" name="a" time="0">
<failure>expected [Function]
    at Context.&#x3C;anonymous&#x3E; (test.js:256:16)</failure></testcase></testsuite>`) ?? [];
    expect(test?.failure).toBe("expected [Function]\n    at Context.<anonymous> (test.js:256:16)");
  });

  const suite = '<testsuite name="a"><testcase name="b"/></testsuite>';

  it.each([
    ["a suite that only says it has an error", '<testsuite name="s" tests="0" errors="1"/>', [0, 1, 0, 0]],
    [
      "a suite that tells its error",
      '<testsuite name="s" tests="0" errors="1"><error message="m"/></testsuite>',
      [0, 1, 0, 0],
    ],
    [
      "an error beside passing cases",
      '<testsuite errors="1"><testcase name="a"/><error>teardown</error></testsuite>',
      [1, 1, 0, 0],
    ],
    [
      "failures that no case has",
      '<testsuites failures="2"><testsuite name="s" failures="2"><testcase name="a"/></testsuite></testsuites>',
      [1, 1, 0, 0],
    ],
    [
      "a failure that its suite does not count",
      '<testsuite failures="0" tests="1"><testcase name="a"><failure/></testcase></testsuite>',
      [0, 1, 0, 0],
    ],
    [
      "suites in suites",
      `<testsuites>${'<testsuite name="s">'.repeat(3)}<testcase name="a"/><testcase name="b"><error/></testcase>${"</testsuite>".repeat(3)}</testsuites>`,
      [1, 1, 0, 0],
    ],
    [
      "reruns of a test that failed each time",
      '<testsuite><testcase name="a"><failure/><rerunFailure/><rerunError/></testcase></testsuite>',
      [0, 1, 0, 0],
    ],
    [
      "a flaky test",
      '<testsuite><testcase name="a"><flakyFailure>once</flakyFailure></testcase></testsuite>',
      [1, 0, 0, 0],
    ],
    [
      "skipped in every way",
      '<testsuite><testcase name="a"><skipped/></testcase><testcase name="b" status="disabled"/><testcase name="c" status="notrun" result="suppressed"/><testcase name="d"><disabled/></testcase></testsuite>',
      [0, 0, 4, 0],
    ],
    [
      "a status that says failed",
      '<testsuite><testcase name="a" status="failed"/></testsuite>',
      [0, 1, 0, 0],
    ],
    [
      "a status that says run",
      '<testsuite><testcase name="a" status="run" result="completed"/></testsuite>',
      [1, 0, 0, 0],
    ],
    [
      "what CDATA and comments hold",
      '<testsuite><!-- <testsuite> --><testcase name="a"><system-out><![CDATA[</testsuite>\n<testsuite>]]></system-out></testcase></testsuite>',
      [1, 0, 0, 0],
    ],
    ["a > in an attribute", '<testsuite name="a > b"><testcase name="c /> d"/></testsuite>', [1, 0, 0, 0]],
    ["carriage returns", suite.replaceAll("><", ">\r\n<"), [1, 0, 0, 0]],
    ["no tests", "<testsuites/>", [0, 0, 0, 0]],
    [
      "names with a prefix",
      '<j:testsuite xmlns:j="urn:x" tests="2"><j:testcase name="a"><j:failure/></j:testcase><j:testcase name="b"><j:skipped/></j:testcase></j:testsuite>',
      [0, 1, 1, 0],
    ],
    [
      "a prefix at one element",
      '<testsuite xmlns:q="u"><testcase name="a"><q:failure message="m"/></testcase><testcase name="b"><q:error>e</q:error></testcase></testsuite>',
      [0, 2, 0, 0],
    ],
    ["capital letters", '<testsuite><testcase name="a"><Failure/></testcase></testsuite>', [0, 1, 0, 0]],
    [
      "a test in a test",
      '<testsuite tests="1"><testcase name="a"><testcase name="b"><failure/></testcase><testcase name="c"/></testcase></testsuite>',
      [1, 1, 0, 0],
    ],
    [
      "a test that failed by itself, with one in it that passed",
      '<testsuite><testcase name="a"><failure/><testcase name="b"/></testcase></testsuite>',
      [1, 1, 0, 0],
    ],
    [
      "a suite in a test",
      '<testsuite><testcase name="a"><testsuite name="s"><testcase name="b"><error/></testcase></testsuite></testcase></testsuite>',
      [0, 1, 0, 0],
    ],
    [
      "elements of other names between",
      '<testsuite><group><testcase name="a"/><testcase name="b"><result><failure/></result></testcase></group></testsuite>',
      [1, 1, 0, 0],
    ],
    [
      "what a test printed without CDATA",
      '<testsuite><testcase name="a"><system-out><failure/></system-out><properties><property name="failure" value="1"/></properties></testcase></testsuite>',
      [1, 0, 0, 0],
    ],
    [
      "tests that did not end well",
      '<testsuite><testcase name="a" status="fail"/><testcase name="b" result="timeout"/><testcase name="c" status="Aborted"/></testsuite>',
      [0, 3, 0, 0],
    ],
    [
      "fewer tests than are claimed",
      '<testsuite tests="5" failures="0"><testcase name="a"/></testsuite>',
      [1, 0, 0, 1],
    ],
    ["tests claimed and none there", '<testsuite name="s" tests="3"/>', [0, 0, 0, 1]],
    [
      "fewer tests than are claimed, in one suite of two",
      '<testsuites tests="4"><testsuite tests="1"><testcase name="a"/></testsuite><testsuite tests="3"><testcase name="b"/></testsuite></testsuites>',
      [2, 0, 0, 1],
    ],
    [
      "fewer tests than the suites claim together",
      '<testsuites tests="9"><testsuite tests="1"><testcase name="a"/></testsuite></testsuites>',
      [1, 0, 0, 1],
    ],
    [
      "more tests than are claimed",
      '<testsuite tests="1"><testcase name="a"/><testcase name="b"/></testsuite>',
      [2, 0, 0, 0],
    ],
    [
      "skipped tests that are claimed and not named",
      '<testsuite tests="5" skipped="2" disabled="1"><testcase name="a"/><testcase name="b"/></testsuite>',
      [2, 0, 0, 0],
    ],
    [
      "skipped tests that are claimed and named, and one more",
      '<testsuite tests="3" skipped="1"><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>',
      [1, 0, 1, 1],
    ],
    [
      "node:test's empty suite in a suite, which it counts",
      '<testsuites><testsuite name="o" tests="2"><testsuite name="i" tests="0"/><testcase name="a"/></testsuite></testsuites>',
      [1, 0, 0, 0],
    ],
    [
      "subtests of pytest, which it counts and does not name",
      '<testsuites name="pytest tests"><testsuite name="mine" tests="8"><testcase name="a"/><testcase name="b"/></testsuite></testsuites>',
      [2, 0, 0, 0],
    ],
    [
      "assertions of Catch2, which it counts as tests",
      '<testsuites><testsuite name="t" errors="0" failures="0" tests="24" hostname="tbd"><testcase classname="t" name="a" time="0" status="run"/></testsuite></testsuites>',
      [1, 0, 0, 0],
    ],
    [
      "assertions of doctest, which it counts as tests",
      '<testsuites><testsuite name="t" errors="0" failures="0" tests="24"><testcase classname="a.cpp" name="a" status="run"/></testsuite></testsuites>',
      [1, 0, 0, 0],
    ],
  ])("is counted: %s", (_, text, expected) => expect(counted(text)).toEqual([expected]));

  it("is read of several documents in one text", () => {
    expect(counted(`${suite}\nnoise\n<?xml version="1.0"?>\n${suite}\n`)).toEqual([
      [1, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
  });

  it.each([
    ["cut off", '<testsuite name="a"><testcase name="b"/>', /cut off/],
    ["cut off in a tag", '<testsuite name="a"><testcase name="b', /cut off/],
    ["cut off in CDATA", '<testsuite name="a"><testcase name="b"><![CDATA[x</testsuite>', /cut off/],
    ["cut off with a suite closed", `<testsuites>${suite}`, /cut off/],
    ["with a DTD before it", `<!DOCTYPE x [<!ENTITY e "e">]>\n${suite}`, /DTD/],
    ["with a DTD in it", `<testsuites><!DOCTYPE x [<!ENTITY e "e">]>${suite}</testsuites>`, /DTD/],
    ["with tags that do not match", '<testsuite name="a"><testcase name="b"></testsuite>', /cannot be read/],
    ["nested without end", '<testsuite name="a">'.repeat(2000) + "</testsuite>".repeat(2000), /nests more/],
  ])("proves nothing when it is %s", (_, text, problem) => {
    const [document] = documentsInText(text).junit;
    expect(document?.tests).toEqual([]);
    expect(document?.problems.join()).toMatch(problem);
  });

  it.each([
    ['failures="many"', /failures="many", which is no count/],
    ['errors="-1"', /errors="-1", which is no count/],
  ])("has a problem with a count that is none: %s", (counts, problem) => {
    const [document] = documentsInText(
      `<testsuite name="a" ${counts}><testcase name="b"/></testsuite>`,
    ).junit;
    expect(document?.problems.join().replaceAll("\\", "")).toMatch(problem);
  });

  it.each(["failed", "aborted"])("has a failed suite where it counts %s tests and names none", (name) => {
    expect(counted(`<testsuite name="a" ${name}="1"><testcase name="b"/></testsuite>`)).toEqual([
      [1, 1, 0, 0],
    ]);
  });

  it("is not seen in other XML, nor in the middle of a line", () => {
    expect(parseJunit("<html><body>testsuite</body></html>")).toBeNull();
    expect(parseJunit(`see ${suite}`)).toBeNull();
  });

  it("keeps long failure messages full of references", () => {
    const text = `<testsuite><testcase name="a"><failure>${"&lt;".repeat(300_000)}</failure></testcase></testsuite>`;
    expect(parseJunit(text)?.[0]?.failure).toBe("<".repeat(8000));
  });
});
