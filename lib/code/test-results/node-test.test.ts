import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseNodeTest as parseLines } from "#lib/code/test-results/node-test.ts";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";

const parseNodeTest = (text: string) => parseLines(text.split("\n"))[0]?.tests;

const recorded = (version: number) =>
  readFileSync(join(import.meta.dirname, `fixtures/node-${version}.spec.txt`), "utf8");

describe.each([20, 24])("what node --test of Node.js %i prints", (version) => {
  it("gives the tests without their suites, and the failure's text", () => {
    const tests = parseNodeTest(recorded(version));
    expect(tests?.map(({ name, status }) => [name, status])).toEqual([
      ["math > adds", "passed"],
      ["math > subtracts", "failed"],
      ["math > later", "skipped"],
      ["math > todo one", "skipped"],
      ["math > deep > a # b", "passed"],
      ["top level > sub", "passed"],
      ["b passes", "skipped"],
      ["b2", "passed"],
    ]);
    expect(tests?.[1]?.file).toBe("a.test.mjs");
    expect(tests?.[1]?.failure).toContain("2 !== 1");
    expect(tests?.[1]?.failure).toContain("operator: 'strictEqual'");
  });

  it("is read in colour too", () => {
    const stdout = recorded(version).replace(/✖/g, "\u001b[31m✖\u001b[39m");
    expect(parseTestResults({ stdout, stderr: "", files: [], tree: "/" })).toMatchObject({
      passed: 4,
      failed: 1,
    });
  });

  it("is read of several runs", () => {
    const stdout = `${recorded(version)}\n> b@1 test\n${recorded(version)}`;
    expect(parseTestResults({ stdout, stderr: "", files: [], tree: "/" })).toMatchObject({
      passed: 8,
      failed: 2,
    });
  });
});

it("is not seen in ticks that other reporters print", () => {
  expect(parseNodeTest("  ✔ adds (1ms)\n  ✖ subtracts\n\n  1 passing\n")).toBeUndefined();
});

it("has a problem where its own count of failures names none", () => {
  const lines = "✔ a (1ms)\nℹ tests 1\nℹ fail 1\nℹ cancelled 0".split("\n");
  expect(parseLines(lines)[0]?.problems).toEqual(["node:test counts 1 failed, and names none of them"]);
});

it("has a problem where it counts more tests than it names", () => {
  const lines = "✔ a (1ms)\nℹ tests 5\nℹ pass 5\nℹ fail 0".split("\n");
  expect(parseLines(lines)[0]?.problems).toEqual(["node:test counts 5 tests, and names 1"]);
});
