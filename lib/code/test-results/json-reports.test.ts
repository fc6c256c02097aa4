import { describe, expect, it } from "vitest";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";

const header = "\n> thing@1.0.0 test\n> run-tests\n\n";

const report = {
  numTotalTests: 3,
  numFailedTests: 1,
  success: false,
  testResults: [
    {
      assertionResults: [
        { ancestorTitles: ["math"], title: "adds", status: "passed", duration: 2.5, failureMessages: [] },
        {
          ancestorTitles: ["math"],
          title: "subtracts",
          status: "failed",
          duration: 1,
          failureMessages: ["Error: no } brace {"],
        },
        { ancestorTitles: ["math"], title: "later", status: "pending" },
      ],
      status: "failed",
      message: "",
      name: "/workspace/math.test.js",
    },
    { assertionResults: [], status: "failed", message: "SyntaxError: x", name: "/workspace/broken.test.js" },
  ],
};
const vitest = JSON.stringify(report);
const jest = JSON.stringify({ numRuntimeErrorTestSuites: 1, ...report });

const expected = [
  ["math > adds", "passed", 2.5, null],
  ["math > subtracts", "failed", 1, "Error: no } brace {"],
  ["math > later", "skipped", null, null],
  ["/workspace/broken.test.js", "failed", null, "SyntaxError: x"],
];
const read = (stdout: string) => parseTestResults({ stdout, stderr: "", files: [], tree: "/none" });
const short = (stdout: string) =>
  read(stdout).tests.map(({ name, status, duration_ms, failure }) => [name, status, duration_ms, failure]);

describe("JSON of Vitest and Jest", () => {
  it("is read after a package manager's header and before other output", () => {
    expect(short(`${header}{"log":1}\n${vitest}\nbye\n`)).toEqual(expected);
    expect(short(`${header}${jest}`)).toEqual(expected);
    expect(short(JSON.stringify(JSON.parse(jest), null, 2))).toEqual(expected);
    expect(short(`dots...${JSON.stringify({ numTotalTestSuites: 2, ...report })}and more`)).toEqual(expected);
  });

  it("is told apart", () => {
    expect([read(vitest).format, read(jest).format]).toEqual(["vitest-json", "jest-json"]);
  });

  it("is added up over several documents", () => {
    expect(read(`${vitest}\n> b@1 test\n${vitest}\n${jest}\n`)).toMatchObject({
      passed: 2,
      failed: 4,
      skipped: 2,
    });
  });

  it.each([
    ["is cut off", vitest.slice(0, -5)],
    ["is cut off in a text", vitest.slice(0, vitest.indexOf("subtracts") + 3)],
    ["is cut off and another follows", `${vitest.slice(0, 120)}\n> b@1\n${vitest}`],
    ["is cut off between values", `${vitest.slice(0, vitest.indexOf("[") + 1)}\n${vitest}`],
    ["counts more failures than it names", JSON.stringify({ ...report, numFailedTests: 9 })],
    [
      "says it did not succeed",
      JSON.stringify({
        ...report,
        testResults: [
          {
            ...report.testResults[0],
            assertionResults: [{ title: "a", status: "passed" }],
            status: "passed",
          },
        ],
      }),
    ],
  ])("has a problem when it %s", (_, text) => expect(read(text).problems).toHaveLength(1));

  const passing = {
    numTotalTests: 1,
    success: true,
    testResults: [{ name: "a", status: "passed", assertionResults: [{ title: "x", status: "passed" }] }],
  };
  const withStatus = (status: string) => ({
    ...passing,
    testResults: [{ name: "a", status: "passed", assertionResults: [{ title: "x", status }] }],
  });

  it.each([
    ["counts more tests than it names", { numTotalTests: 5 }, /counts 5 tests, and names 1/],
    ["counts more passed tests than it names", { numPassedTests: 2 }, /counts 2 passed, and names 1/],
    ["counts a file that could not be run", { numRuntimeErrorTestSuites: 1 }, /counts 1 failed, and names 0/],
    ["was interrupted", { wasInterrupted: true }, /interrupted/],
    ["has tests of another form", { testResults: [{ name: "a" }] }, /another form/],
  ])("has a problem when it %s", (_, change, problem) => {
    expect(read(JSON.stringify(passing)).problems).toEqual([]);
    expect(read(JSON.stringify({ ...passing, ...change })).problems).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  it("has a problem with a status that is not known, and none with those of tests that did not run", () => {
    for (const status of ["skipped", "pending", "todo", "disabled", "focused"]) {
      expect(read(JSON.stringify(withStatus(status)))).toMatchObject({ skipped: 1, problems: [] });
    }
    for (const status of ["broken", "PASSED", "", "timedOut"]) {
      expect(read(JSON.stringify(withStatus(status))).problems).toEqual([
        expect.stringContaining(`unknown status ${JSON.stringify(status)}`),
      ]);
    }
  });

  it("is still read behind one that is cut off", () => {
    expect(read(`${vitest.slice(0, 120)}\n> b@1\n${vitest}`)).toMatchObject({
      passed: 1,
      failed: 2,
      skipped: 1,
    });
    expect(read(`${vitest.slice(0, vitest.indexOf("[") + 1)}\n${vitest}\nend`)).toMatchObject({
      passed: 1,
      failed: 2,
    });
  });

  it("is not taken from JSON of another shape", () => {
    expect(read('{"numTotalTests": 1, "testResults": "none"}')).toMatchObject({
      format: "none",
      problems: [],
    });
    expect(read('{"a": [1, 2\n')).toMatchObject({ format: "none", problems: [] });
  });
});

describe("JSON of Mocha", () => {
  const test = (title: string, err = {}) => ({
    title,
    fullTitle: `math ${title}`,
    file: "/workspace/t.js",
    duration: 3,
    err,
  });
  const mocha = {
    stats: { suites: 1, tests: 3, passes: 1, failures: 2 },
    tests: [],
    pending: [test("later")],
    failures: [
      test("subtracts", { message: "1 == 2", stack: "AssertionError: 1 == 2\n  at x" }),
      test('"before each" hook', { message: "hook" }),
    ],
    passes: [test("adds")],
  };
  const text = JSON.stringify(mocha, null, 2);

  it("gives every outcome, failed hooks too", () => {
    const { tests } = read(`${header}noise {"a":1}\n{ shown: true }\n${text}> next@1 test\n`);
    expect(tests.map(({ name, status, failure }) => [name, status, failure])).toEqual([
      ["math > adds", "passed", null],
      ["math > subtracts", "failed", "AssertionError: 1 == 2\n  at x"],
      ['math > "before each" hook', "failed", "hook"],
      ["math > later", "skipped", null],
    ]);
  });

  it("is read of several documents, one right behind the other", () => {
    expect(read(`${text}\n${text}`)).toMatchObject({ passed: 2, failed: 4, skipped: 2 });
    expect(read(`...${text}`)).toMatchObject({ passed: 1, failed: 2, skipped: 1 });
  });

  it("has a problem when it is cut off or counts more failures than it names", () => {
    expect(read(text.slice(0, -40)).problems.join()).toMatch(/mocha-json report is cut off/);
    const more = JSON.stringify({ ...mocha, stats: { ...mocha.stats, failures: 5 } });
    expect(read(more).problems.join()).toMatch(/counts 5 failed, and names 2/);
  });

  it.each([
    [{ stats: { ...mocha.stats, failures: 2, tests: 9 } }, /counts 9 tests, and names 4/],
    [{ stats: { ...mocha.stats, failures: 2, passes: 7 } }, /counts 7 passed, and names 1/],
    [{ passes: "one" }, /another form/],
  ])("has a problem when its counts or its form do not hold: %j", (change, problem) => {
    expect(read(JSON.stringify({ ...mocha, ...change })).problems).toEqual([expect.stringMatching(problem)]);
  });

  it("is not taken from another object with stats", () => {
    expect(read('{\n  "stats": {"hits": 1}\n}')).toMatchObject({ format: "none", problems: [] });
  });

  const stream = [
    '["start",{"total":3}]',
    '["pass",{"title":"adds","fullTitle":"math adds","file":"/t.js","duration":1,"currentRetry":0}]',
    "printed by a test",
    '["fail",{"title":"fails","fullTitle":"math fails","file":"/t.js","err":"1 == 2","stack":"AssertionError: 1 == 2"}]',
  ];
  const end = '["end",{"suites":1,"tests":3,"passes":1,"pending":1,"failures":1}]';

  it("is read as a stream", () => {
    expect(read([...stream, end, ...stream, end].join("\n"))).toMatchObject({
      passed: 2,
      failed: 2,
      skipped: 2,
      problems: [],
    });
  });

  it("has a problem as a stream that began with more tests than ended", () => {
    const five = stream.map((line) => line.replace('"total":3', '"total":5'));
    expect(read([...five, end].join("\n")).problems.join()).toMatch(/counts 5 tests, and names 3/);
  });

  it("has a problem as a stream without its end", () => {
    expect(read(stream.slice(0, 2).join("\n")).problems.join()).toMatch(/cut off/);
    expect(read([...stream.slice(0, 2), end].join("\n")).problems.join()).toMatch(
      /counts 1 failed, and names 0/,
    );
  });
});
