import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseNodeTest } from "#lib/code/test-results/node-test.ts";

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
    const coloured = recorded(version).replace(/✖/g, "\u001b[31m✖\u001b[39m");
    expect(parseNodeTest(coloured)?.filter((test) => test.status === "failed")).toHaveLength(1);
  });
});

it("is not seen in ticks that other reporters print", () => {
  expect(parseNodeTest("  ✔ adds (1ms)\n  ✖ subtracts\n\n  1 passing\n")).toBeNull();
});
