import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseJunit } from "#lib/code/test-results/junit.ts";

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

  it("is not read with a DTD, out of other XML, or cut off", () => {
    const suite = '<testsuite name="a"><testcase name="b"/></testsuite>';
    expect(parseJunit(suite)).toHaveLength(1);
    expect(parseJunit(`<testsuites><!DOCTYPE x [<!ENTITY e "e">]>${suite}</testsuites>`)).toBeNull();
    expect(parseJunit("<html><body>testsuite</body></html>")).toBeNull();
    expect(parseJunit('<testsuite name="a"><testcase name="b"/>')).toBeNull();
  });
});
