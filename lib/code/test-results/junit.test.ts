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

  it("is not seen in other XML, nor in the middle of a line", () => {
    expect(parseJunit("<html><body>testsuite</body></html>")).toBeNull();
    expect(parseJunit(`see ${suite}`)).toBeNull();
  });

  it("keeps long failure messages full of references", () => {
    const text = `<testsuite><testcase name="a"><failure>${"&lt;".repeat(300_000)}</failure></testcase></testsuite>`;
    expect(parseJunit(text)?.[0]?.failure).toBe("<".repeat(8000));
  });
});
