import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseTap } from "#lib/code/test-results/tap.ts";

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

  it("takes a bail-out and missing tests for failures", () => {
    expect(parseTap("TAP version 13\nok 1 - a\nBail out! no database\n")?.[1]).toMatchObject({
      status: "failed",
      failure: "no database",
    });
    expect(parseTap("1..3\nok 1 - a\nok 2 - b\n")?.[2]).toMatchObject({
      name: "TAP plan",
      failure: "3 tests were planned and 2 reported",
    });
  });

  it("is not seen in output that only says ok", () => {
    expect(parseTap("1..9\ndone\n")).toBeNull();
    expect(parseTap("ok  \texample.com/pkg\t0.2s\n")).toBeNull();
    expect(parseTap("ok 1 - without a plan\n")).toBeNull();
  });
});
