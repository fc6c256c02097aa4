import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseTap as parseLines } from "#lib/code/test-results/tap.ts";

const documents = (text: string) => parseLines(text.split(/\r?\n/));
const parseTap = (text: string) => {
  const found = documents(text);
  return found.length === 0 ? null : found.flatMap(({ tests }) => tests);
};
const counts = (text: string) =>
  documents(text).map(({ counts: { passed, failed, skipped }, problems }) => [
    passed,
    failed,
    skipped,
    problems.length,
  ]);

const recorded = readFileSync(join(import.meta.dirname, "fixtures/node-test.tap"), "utf8");

describe("TAP", () => {
  it("gives node:test's nested tests, without their suites", () => {
    const tests = parseTap(recorded);
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
    const failed = tests?.[1];
    expect(failed).toMatchObject({ file: "/workspace/a.test.mjs", duration_ms: 1.174 });
    expect(failed?.failure).toMatch(
      /^Expected values to be strictly equal:\n\n2 !== 1\n+code: 'ERR_ASSERTION'\nname: [\s\S]*stack: /,
    );
    expect(failed?.failure).not.toMatch(/duration_ms|location|failureType/);
  });

  it("gives tape's assertions below the test they belong to, with the file they failed in", () => {
    const tests = parseTap(readFileSync(join(import.meta.dirname, "fixtures/tape.tap"), "utf8"));
    expect(tests?.map(({ name, status, file }) => [name, status, file])).toEqual([
      ["proto pollution > should be strictly equal", "passed", null],
      [
        "proto pollution (constructor function) > should be strictly equal",
        "failed",
        "/workspace/test/proto.js",
      ],
    ]);
    expect(tests?.[1]?.failure).toMatch(/^operator: equal\nexpected: undefined\nactual: {3}123\n/);
  });

  it("takes no comment for a name where subtests have one", () => {
    const text = "TAP version 13\n# printed by the test\n# Subtest: adds\nok 1 - adds\n1..1\n";
    expect(parseTap(text)?.map(({ name }) => name)).toEqual(["adds"]);
  });

  it("counts a container that failed although nothing in it did", () => {
    const text = "TAP version 14\n# Subtest: outer\n    ok 1 - inner\n    1..1\nnot ok 1 - outer\n1..1\n";
    expect(parseTap(text)?.map((test) => [test.name, test.status])).toEqual([
      ["outer > inner", "passed"],
      ["outer", "failed"],
    ]);
  });

  it("takes a failing todo for no failure", () => {
    expect(parseTap("1..1\nnot ok 1 - some day # TODO not yet\n")?.[0]).toMatchObject({
      name: "some day",
      status: "skipped",
    });
  });

  it.each([
    ["fewer than planned", "TAP version 13\n1..5\nok 1 a\nok 2 b\n", /says 5 tests, and 2 reported/],
    ["more than planned", "1..1\nok 1 - a\nok 2 - b\n", /says 1 test, and 2 reported/],
    ["more after a plan at the end", "TAP version 13\nok 1 a\n1..1\nok 2 b\n", /says 1 test, and 2 reported/],
    ["no plan", "TAP version 13\nok 1 a\nok 2 b\n", /no plan/],
    ["no plan and no version", "ok 1 - a\nok 2 - b\n", /no plan/],
    ["a version and nothing more", "TAP version 14\n", /no plan/],
    [
      "a subtest without a plan",
      "TAP version 14\n1..1\n# Subtest: x\n    ok 1 - in\nok 1 - x\n",
      /a subtest has no plan/,
    ],
    ["a number twice", "1..2\nok 1 - a\nok 1 - b\n", /test 1 of the TAP output reported twice/],
    ["a plan amid the results", "ok 1 - a\n1..2\nok 2 - b\n", /stands amid its results/],
    [
      "a line that is no TAP, where that is strict",
      "TAP version 14\npragma +strict\nok 1 - a\nnoise\n1..1\n",
      /is strict/,
    ],
    ["a number beyond the plan", "1..2\nok 1 - a\nok 7 - b\n", /ends at 2, and test 7 reported/],
    ["a bail-out", "TAP version 13\nok 1 - a\nBail out! no database\n", /bailed out: no database/],
    ["a bail-out alone", "Bail out!\n", /bailed out/],
    [
      "fewer subtests than planned",
      "TAP version 14\n    1..3\n    ok 1 - in\nok 1 - out\n1..1\n",
      /a subtest says 3/,
    ],
    ["a skipped plan with tests", "1..0 # SKIP none\nok 1 - a\n", /says 0 tests, and 1 reported/],
  ])("has a problem, not a failed test, with %s", (_, text, problem) => {
    const [document] = documents(text);
    expect(document?.problems.join()).toMatch(problem);
    expect(document?.counts.failed).toBe(0);
  });

  it.each([
    ["TAP 12", "1..2\nok 1 - a\nok 2 - b\n", [[2, 0, 0, 0]]],
    ["TAP 14 with its plan at the end", "TAP version 14\nok 1 - a\nnot ok 2 - b\n1..2\n", [[1, 1, 0, 0]]],
    ["results without numbers", "1..2\nok - a\nnot ok - b\n", [[1, 1, 0, 0]]],
    ["results without names", "1..2\nok\nnot ok\n", [[1, 1, 0, 0]]],
    ["everything skipped", "TAP version 13\n1..0 # SKIP no tests on this OS\n", [[0, 0, 0, 0]]],
    ["no tests", "TAP version 13\n1..0\n# tests 0\n", [[0, 0, 0, 0]]],
    [
      "directives in any case",
      "1..3\nok 1 - a # skip\nnot ok 2 - b # Todo x\nok 3 # SKIPPED y\n",
      [[0, 0, 3, 0]],
    ],
    [
      "pragmas and noise",
      "TAP version 13\npragma +bail\nhello\nok 1 - a\nok, I am noise\n1..1\n",
      [[1, 0, 0, 0]],
    ],
    ["go's ok among it", "1..1\nok 1 - a\nok  \texample.com/pkg\t0.2s\n", [[1, 0, 0, 0]]],
    [
      "several streams",
      "TAP version 13\nok 1 a\n1..1\n# tests 1\n\n> b@1 test\nTAP version 13\nnot ok 1 b\n1..1\n",
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
      ],
    ],
    [
      "streams without a version, their plans first",
      "1..1\nok 1 - a\n1..2\nok 1 - b\nnot ok 2 - c\n",
      [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
      ],
    ],
    [
      "streams without a version, their plans last",
      "ok 1 - a\n1..1\nnot ok 1 - b\n1..1\n",
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
      ],
    ],
    [
      "a stream that is cut off before the next",
      "TAP version 13\n1..3\nok 1 a\nTAP version 13\n1..1\nok 1 b\n",
      [
        [1, 0, 0, 1],
        [1, 0, 0, 0],
      ],
    ],
    [
      "subtests in braces",
      "1..1\nnot ok 1 - file {\n    1..1\n    not ok 1 - suite {\n        1..1\n        not ok 1 - t\n    }\n}\n",
      [[0, 1, 0, 0]],
    ],
    [
      "a container that failed by itself",
      "1..1\nnot ok 1 - file {\n    1..1\n    ok 1 - t\n}\n",
      [[1, 1, 0, 0]],
    ],
  ])("is counted: %s", (_, text, expected) => {
    expect(counts(text)).toEqual(expected);
    expect(counts(text.replaceAll("\n", "\r\n"))).toEqual(expected);
  });

  it.each([
    ["adds # time=21ms", "adds", 21],
    ["adds # time=1.5s", "adds", 1500],
    ["adds (12ms)", "adds", 12],
    ["adds in 34ms", "adds", 34],
    ["adds # in 3 ms", "adds", 3],
    ["adds # SKIP # time=2ms", "adds", 2],
    ["adds # time=15.63ms {", "adds", 15.63],
    ["room \\# 5", "room # 5", null],
    ["issue # 5", "issue # 5", null],
    ["waits (twice)", "waits (twice)", null],
    ["a \\\\ b", "a \\ b", null],
  ])("takes the duration out of the name: %s", (words, name, duration_ms) => {
    expect(parseTap(`1..1\nok 1 - ${words}\n`)?.[0]).toMatchObject({ name, duration_ms });
  });

  it.each([
    ["1..5\n", 1],
    ["1..3\n# starting\n# boom\n", 1],
    ["1..3\nSegmentation fault\n", 1],
    ["> thing@1.0.0 test\n> node t.js\n\n1..4\nError: boom\n    at t.js:1:1\n", 1],
    ["building\ndone\n1..5\n", 1],
    ["pragma +strict\n1..2\n", 1],
    ["1..1\nok 1 - a\n1..3\n", 2],
    ["1..1\nok 1 - a\nnow the others\n1..3\nboom\n", 2],
    ["TAP version 13\nok 1 x\n1..1\n# tests 1\n# pass 1\n\n1..4\n", 2],
    ["TAP version 13\n1..1\nok 1 - a\nTAP version 13\n1..2\n", 2],
  ])("has a problem when it has a plan and no test of it ran: %j", (text, streams) => {
    for (const each of [text, text.replaceAll("\n", "\r\n")]) {
      const found = documents(each);
      expect(found).toHaveLength(streams);
      expect(found.at(-1)?.problems.join()).toMatch(/says \d tests, and 0 reported/);
    }
  });

  it("is not seen in a range of numbers amid other text", () => {
    expect(documents("choose from\n1..5\nthank you\n")).toEqual([]);
    expect(documents("choose from 1..5\n")).toEqual([]);
    expect(documents("1..5 are the numbers\n")).toEqual([]);
    expect(documents("1...5\n")).toEqual([]);
  });

  it("is a skipped run where the plan alone says so", () => {
    expect(counts("1..0\n")).toEqual([[0, 0, 0, 0]]);
    expect(counts("1..0 # SKIP no database\n")).toEqual([[0, 0, 0, 0]]);
  });

  it.each([
    ["# Subtest: s\n    1..3\n", /plan of a subtest says 3 tests, and 0 reported/],
    ["# Subtest: s\n    ok 1 - a\n", /no plan/],
  ])("has a problem when it ends within a subtest: %j", (text, problem) => {
    expect(documents(text)[0]?.problems.join()).toMatch(problem);
  });

  it("has a problem when the totals behind its plan count failures that it does not name", () => {
    expect(documents("ok 1 - a\n1..1\n# tests 2\n# pass 1\n# fail 1\n")[0]?.problems).toEqual([
      "the TAP output counts 1 failed, and names none of them",
    ]);
    expect(documents("ok 1 - a\n1..1\n# tests 1\n# fail 0\n")[0]?.problems).toEqual([]);
    expect(documents("# fail 2\nok 1 - a test of that name\n1..1\n")[0]?.problems).toEqual([]);
  });

  it("keeps the failures of more streams than are told apart", () => {
    const found = documents(`${"1..1\nok 1 - a\n".repeat(1500)}1..1\nnot ok 1 - last\n`);
    expect(found).toHaveLength(1000);
    expect(found.at(-1)?.counts).toEqual({ passed: 501, failed: 1, skipped: 0 });
  });

  it("is not seen in output that only says ok", () => {
    expect(parseTap("1..9 numbers\nok\n")).toBeNull();
    expect(parseTap("ok  \texample.com/pkg\t0.2s\n")).toBeNull();
    expect(parseTap("ok 1 - without a plan\n")).toBeNull();
    expect(parseTap("ok, all good\nok\n")).toBeNull();
  });
});
