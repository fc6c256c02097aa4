import { describe, expect, it } from "vitest";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";

const read = (stdout: string) => parseTestResults({ stdout, stderr: "", files: [], tree: "/none" });
const inFile = (path: string, text: string) =>
  parseTestResults({ stdout: "", stderr: "", files: [{ path, text }], tree: "/none" });

const JUNIT_PASSED = '<testsuite name="a" tests="1"><testcase name="y"/></testsuite>';
const JUNIT_FAILED = '<testsuite name="a" tests="1"><testcase name="x"><failure/></testcase></testsuite>';
const PROLOG = '<?xml version="1.0"?>';
const mocha = (failed: number) => {
  const test = { title: "x", fullTitle: "x", err: failed ? { message: "m" } : {} };
  return {
    stats: { suites: 1, tests: 1, passes: 1 - failed, pending: 0, failures: failed },
    tests: [test],
    pending: [],
    failures: failed ? [test] : [],
    passes: failed ? [] : [test],
  };
};
const jest = (failed: number) => ({
  numFailedTests: failed,
  numPassedTests: 1 - failed,
  numTotalTests: 1,
  success: failed === 0,
  testResults: [
    {
      name: "a",
      status: failed ? "failed" : "passed",
      assertionResults: [{ status: failed ? "failed" : "passed", title: "x", ancestorTitles: [] }],
    },
  ],
});
const MOCHA_PASSED = JSON.stringify(mocha(0));
const MOCHA_FAILED = JSON.stringify(mocha(1));
const JEST_PASSED = JSON.stringify(jest(0));
const JEST_FAILED = JSON.stringify(jest(1));
const GO_PASSED = [
  '{"Action":"run","Package":"a","Test":"T1"}',
  '{"Action":"pass","Package":"a","Test":"T1"}',
  '{"Action":"pass","Package":"a"}',
].join("\n");
const STREAM_FAILED = [
  '["start",{"total":1}]',
  '["fail",{"title":"x","fullTitle":"x","err":"m"}]',
  '["end",{"passes":0,"failures":1,"pending":0}]',
];

const PASSED = {
  "JUnit XML": JUNIT_PASSED,
  "JUnit XML with a prolog": `${PROLOG}\n${JUNIT_PASSED}`,
  "an empty suite": '<testsuite name="a"/>',
  "Mocha's JSON": MOCHA_PASSED,
  "Mocha's JSON on lines": JSON.stringify(mocha(0), null, 2),
  "Jest's JSON": JEST_PASSED,
  "go's events": GO_PASSED,
  "other JSON": '{"log":1}',
};
const FAILED = {
  "JUnit XML": JUNIT_FAILED,
  "JUnit XML with a prolog": `${PROLOG}${JUNIT_FAILED}`,
  "JUnit XML behind a comment": `<!-- c -->${JUNIT_FAILED}`,
  "JUnit XML with a prefix": JUNIT_FAILED.replaceAll(/<(\/?)/g, "<$1j:"),
  "Mocha's JSON": MOCHA_FAILED,
  "Mocha's JSON on lines": JSON.stringify(mocha(1), null, 2),
  "Mocha's stream": STREAM_FAILED.join("\n"),
  "Jest's JSON": JEST_FAILED,
  "Jest's JSON with blanks": JEST_FAILED.replaceAll(":", ": "),
  "a go event": '{"Action":"fail","Package":"b","Test":"T2"}\n{"Action":"fail","Package":"b"}',
  TAP: "1..1\nnot ok 1 - q",
};
const pairs = Object.entries(PASSED).flatMap(([one, passed]) =>
  Object.entries(FAILED).map(([two, failed]) => [one, two, passed, failed] as const),
);

describe("a document on the line where another one ended", () => {
  it.each(pairs)("is read: %s, then %s", (_one, _two, passed, failed) => {
    for (const between of ["", " ", "\t", "\n", "\r\n", "\n\n  \n"]) {
      if (between !== "" && !between.includes("\n") && failed.startsWith("1..1")) continue; // TAP begins its line
      expect([between, read(`${passed}${between}${failed}\n`).failed]).toEqual([between, 1]);
      expect([between, inFile("report.xml", `${passed}${between}${failed}`).failed]).toEqual([between, 1]);
    }
  });

  it("is read behind a word, too", () => {
    expect(read(`${JUNIT_PASSED} and ${JUNIT_FAILED}\n`)).toMatchObject({ passed: 1, failed: 1 });
    expect(read(`${MOCHA_PASSED}, ${MOCHA_FAILED}\n`)).toMatchObject({ passed: 1, failed: 1 });
    expect(read(`${MOCHA_PASSED} and ${JUNIT_FAILED}\n`)).toMatchObject({ passed: 1, failed: 1 });
  });

  it("is read in any number", () => {
    expect(read(JUNIT_PASSED.repeat(300) + JUNIT_FAILED)).toMatchObject({ passed: 300, failed: 1 });
    expect(read(JUNIT_PASSED.repeat(1500) + JUNIT_FAILED)).toMatchObject({ passed: 1500, failed: 1 });
    expect(read(MOCHA_PASSED.repeat(1500) + MOCHA_FAILED)).toMatchObject({ passed: 1500, failed: 1 });
  });
});

describe("a report behind text that did not end its line", () => {
  it.each(Object.entries(FAILED).filter(([name]) => /JSON|go event|prolog/.test(name)))(
    "is read: %s",
    (_, failed) => expect(read(`log without its end${failed}\n`).failed).toBe(1),
  );

  it("is read of a stream in which each line has such text", () => {
    expect(read(STREAM_FAILED.map((line) => `log ${line}`).join("\n"))).toMatchObject({
      failed: 1,
      problems: [],
    });
    const go = `${GO_PASSED}\nlog without nl{"Action":"fail","Package":"b","Test":"T2"}\n`;
    expect(read(go)).toMatchObject({ passed: 1, failed: 1 });
    expect(read(go.replaceAll('{"Action', '{"Time":"2026-01-01T00:00:00Z","Action')).failed).toBe(1);
  });
});

describe("a report amid what may stand before it", () => {
  it.each([
    ["blanks", `  ${JUNIT_FAILED}`],
    ["a tab and a line", `\n\t${JUNIT_FAILED}`],
    ["a byte order mark", `\ufeff${JUNIT_FAILED}`],
    ["a comment", `<!-- c -->${JUNIT_FAILED}`],
    ["a comment of several lines", `<!-- c\n d -->${JUNIT_FAILED}`],
    ["a comment that has a report", `<!-- ${JUNIT_PASSED} -->\n${JUNIT_FAILED}`],
    ["a prolog and a comment", `${PROLOG}<!-- c -->${JUNIT_FAILED}`],
    ["a prolog, comments and blanks", `${PROLOG} <!-- c -->\n<!-- d -->\n  ${JUNIT_FAILED}`],
    ["an instruction", `<?xml-stylesheet href="a"?>${JUNIT_FAILED}`],
  ])("is read in output and in a file: %s", (_, text) => {
    expect(read(`building\n${text}\n`)).toMatchObject({ passed: 0, failed: 1, problems: [] });
    expect(inFile("junit.xml", text)).toMatchObject({ passed: 0, failed: 1, problems: [] });
  });

  it.each([
    `<!DOCTYPE testsuite [<!ENTITY f "x">]>${JUNIT_FAILED}`,
    `<!DOCTYPE testsuite [\n<!ENTITY f "x">\n]>\n${JUNIT_FAILED}`,
    `${PROLOG}<!DOCTYPE a SYSTEM "a.dtd"><!-- c -->${JUNIT_FAILED}`,
    `<!doctype testsuites>${JUNIT_FAILED}`,
    `<!DOCTYPE testsuite [<!ENTITY f "]>">]>${JUNIT_FAILED}`,
  ])("has a problem with a DTD: %s", (text) => {
    expect(read(text).problems.join()).toMatch(/DTD/);
    expect(inFile("junit.xml", text).problems.join()).toMatch(/^junit.xml: .*DTD/);
  });

  it("is not looked for in a comment, nor in the strings of JSON", () => {
    expect(read(`<!-- ${JUNIT_FAILED} -->\n${JUNIT_PASSED}`)).toMatchObject({ passed: 1, failed: 0 });
    expect(read(`${JSON.stringify({ log: `${PROLOG}${JUNIT_FAILED}` })}\n`).format).toBe("none");
  });

  it("is read behind a comment that never ends, and behind HTML", () => {
    expect(read(`<!-- never\n${JUNIT_FAILED}\n`).failed).toBe(1);
    expect(read(`<!DOCTYPE html>\n<html></html>\n${JUNIT_FAILED}\n`)).toMatchObject({
      failed: 1,
      problems: [],
    });
  });

  it("is read in lists", () => {
    expect(inFile("results.json", `[${JEST_PASSED},${JEST_FAILED}]`)).toMatchObject({ passed: 1, failed: 1 });
    expect(inFile("results.json", `[\n  ${MOCHA_PASSED},\n  ${MOCHA_FAILED}\n]\n`)).toMatchObject({
      failed: 1,
    });
    expect(read(JSON.stringify([{ Action: "fail", Package: "b" }])).failed).toBe(1);
  });

  it("has a problem when it scans as JSON and is none", () => {
    expect(read(MOCHA_FAILED.replace('"m"', '"\t"')).problems.join()).toMatch(/cut off or broken/);
    expect(read(`${"[INFO] line\n".repeat(3000)}${JEST_FAILED.slice(0, -5)}`).problems.join()).toMatch(
      /cut off/,
    );
  });
});
