import { describe, expect, it } from "vitest";
import { parseJestJson } from "#lib/code/test-results/jest-json.ts";
import { parseMochaJson } from "#lib/code/test-results/mocha-json.ts";
import { parseVitestJson } from "#lib/code/test-results/vitest-json.ts";

const header = "\n> thing@1.0.0 test\n> run-tests\n\n";

const report = {
  numTotalTests: 3,
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
const short = (tests: ReturnType<typeof parseVitestJson>) =>
  tests?.map(({ name, status, duration_ms, failure }) => [name, status, duration_ms, failure]);

describe("JSON of Vitest and Jest", () => {
  it("is read after a package manager's header and before other output", () => {
    expect(short(parseVitestJson(`${header}{"log":1}\n${vitest}\nbye\n`))).toEqual(expected);
    expect(short(parseJestJson(`${header}${jest}`))).toEqual(expected);
    expect(short(parseJestJson(JSON.stringify(JSON.parse(jest), null, 2)))).toEqual(expected);
  });

  it("is told apart", () => {
    expect(parseJestJson(vitest)).toBeNull();
    expect(parseVitestJson(jest)).toBeNull();
  });

  it("is not taken from JSON of another shape, or cut off", () => {
    expect(parseVitestJson('{"numTotalTests": 1, "testResults": "none"}')).toBeNull();
    expect(parseVitestJson(vitest.slice(0, -5))).toBeNull();
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
    stats: { tests: 3, passes: 1, failures: 2 },
    tests: [],
    pending: [test("later")],
    failures: [
      test("subtracts", { message: "1 == 2", stack: "AssertionError: 1 == 2\n  at x" }),
      test('"before each" hook', { message: "hook" }),
    ],
    passes: [test("adds")],
  };

  it("gives every outcome, failed hooks too", () => {
    const tests = parseMochaJson(`${header}noise {"a":1}\n${JSON.stringify(mocha, null, 2)}\n`);
    expect(tests?.map(({ name, status, failure }) => [name, status, failure])).toEqual([
      ["math > adds", "passed", null],
      ["math > subtracts", "failed", "AssertionError: 1 == 2\n  at x"],
      ['math > "before each" hook', "failed", "hook"],
      ["math > later", "skipped", null],
    ]);
  });

  it("is not taken from another object with stats", () => {
    expect(parseMochaJson('{\n  "stats": {"hits": 1}\n}')).toBeNull();
  });
});
