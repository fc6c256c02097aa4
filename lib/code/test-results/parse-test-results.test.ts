import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name), "utf8");
const parse = (stdout: string, files: { path: string; text: string }[] = []) =>
  parseTestResults({ stdout, log: stdout, files, tree: "/workspace" });

describe("test results", () => {
  it.each([
    ["node-test.tap", "tap"],
    ["node-24.spec.txt", "node-test"],
    ["node-test.junit.xml", "junit"],
  ])("in %s are found to be %s", (name, format) => {
    expect(parse(`> thing@1.0.0 test\n> node --test\n\n${fixture(name)}`)).toMatchObject({
      format,
      passed: 4,
      failed: 1,
      skipped: 3,
    });
  });

  it("name files relative to the tree", () => {
    const { tests } = parse(fixture("node-test.tap"));
    expect(tests.find((test) => test.status === "failed")?.file).toBe("a.test.mjs");
  });

  it("are read from files when the output holds none", () => {
    const file = { path: "junit.xml", text: fixture("node-test.junit.xml") };
    expect(parse("Tests: 4 passed", [file, file])).toMatchObject({ format: "junit", passed: 8, failed: 2 });
    expect(parse(fixture("node-test.tap"), [file])).toMatchObject({ format: "tap", failed: 1 });
  });

  it("are read from stderr too", () => {
    expect(
      parseTestResults({ stdout: "", log: fixture("node-test.tap"), files: [], tree: "/workspace" }).format,
    ).toBe("tap");
  });

  it("are not guessed from what is meant for people", () => {
    expect(parse("  math\n    ✓ adds\n    1) subtracts\n\n  1 passing (3ms)\n  1 failing\n")).toEqual({
      format: "none",
      tests: [],
      passed: 0,
      failed: 0,
      skipped: 0,
    });
  });

  it("stay within the report's bounds, and keep the failed ones", () => {
    const lines = Array.from({ length: 25_000 }, (_, index) => `ok ${index + 1} - t`);
    const block = `  ---\n  error: '${"x".repeat(9000)}'\n  ...`;
    const text = `TAP version 13\n${lines.join("\n")}\nnot ok 25001 - last\n${block}\n1..25001\n`;
    const results = parse(text);
    expect(results).toMatchObject({ passed: 25_000, failed: 1 });
    expect(results.tests).toHaveLength(20_000);
    expect(results.tests.at(-1)).toMatchObject({ name: "last", failure: expect.stringMatching(/^.{8000}$/) });
  });
});

describe("any text at all", () => {
  const fragments = fc.constantFrom(
    ...[
      "TAP version 13",
      "1..3",
      "ok 1 - a",
      "not ok 2 - b # TODO",
      "    ok 1",
      "  ---",
      "  ...",
      "Bail out!",
    ],
    ...["ℹ tests 3", "▶ suite", "  ✔ a (1ms)", "✖ b (2.5ms)", "✖ failing tests:", "test at a.js:1:2"],
    ...['{"numTotalTests":1,"testResults":[', '{"stats":{', "}", "]}", '"', "\\", "\u001b[31m", "<![CDATA["],
    ...["<testsuites>", '<testsuite name="a">', '<testcase name="b">', "</testcase>", "</testsuite>"],
    ...["</testsuites>", "<failure>", "&#x0;", "&lt;", "__proto__", '<testcase __proto__="1"/>', "<!--"],
  );
  const text = fc
    .array(fc.oneof(fragments, fc.string(), fc.string({ unit: "grapheme" })), { maxLength: 60 })
    .chain((parts) => fc.constantFrom("\n", "", "\r\n", " ").map((separator) => parts.join(separator)));

  it("is parsed without throwing, into consistent results", () => {
    fc.assert(
      fc.property(text, text, (stdout, file) => {
        const results = parseTestResults({
          stdout,
          log: stdout,
          files: [{ path: "junit.xml", text: file }],
          tree: "/workspace",
        });
        expect(results.passed + results.failed + results.skipped).toBe(results.tests.length);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["nested objects", '{"numTotalTests":'.repeat(200_000)],
    ["brackets", `{"stats":${"[".repeat(3_000_000)}`],
    ["objects that never close", `\n{"numTotalTests": "`.repeat(150_000)],
    ["suites without end", `${'<testsuite name="a">'.repeat(150_000)}</testsuite>`],
    ["suites in suites", '<testsuite name="a">'.repeat(60_000) + "</testsuite>".repeat(60_000)],
    ["attributes", `<testsuite ${'a="b" '.repeat(400_000)}></testsuite>`],
    ["comments", `<testsuites>${"<!--".repeat(700_000)}</testsuites>`],
    ["entities", `<testsuite name="${"&amp;".repeat(500_000)}"></testsuite>`],
    ["diagnostics that never end", `TAP version 13\n${"ok 1\n  ---\n".repeat(250_000)}`],
    [
      "deeper and deeper results",
      Array.from({ length: 2000 }, (_, n) => `${" ".repeat(n)}ok ${n}`).join("\n"),
    ],
    ["hashes", `1..1\nok 1 ${"# ".repeat(1_500_000)}`],
    ["spaces", `ℹ tests 1\n✔ ${" (1".repeat(1_000_000)}`],
    ["escapes", "\u001b[".repeat(1_500_000)],
    ["the same failures", `ℹ tests 1\n${"✖ a (1ms)\ntest at a:1:1\n✖ a (1ms)\n  b\n".repeat(80_000)}`],
  ])("is parsed in time: %s", (_, hostile) => {
    const started_ms = performance.now();
    parse(hostile, [{ path: "junit.xml", text: hostile }]);
    expect(performance.now() - started_ms).toBeLessThan(15_000);
  });
});
