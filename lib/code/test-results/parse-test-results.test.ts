import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name), "utf8");
const parse = (stdout: string, files: { path: string; text: string }[] = []) =>
  parseTestResults({ stdout, stderr: "", files, tree: "/workspace" });

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

  it("are read from files and from stderr too", () => {
    const file = { path: "junit.xml", text: fixture("node-test.junit.xml") };
    expect(parse("Tests: 4 passed", [file])).toMatchObject({ format: "junit", passed: 4, failed: 1 });
    const stderr = fixture("node-test.tap");
    expect(parseTestResults({ stdout: "", stderr, files: [], tree: "/workspace" }).format).toBe("tap");
  });

  it("are not guessed from what is meant for people", () => {
    expect(parse("  math\n    ✓ adds\n    1) subtracts\n\n  1 passing (3ms)\n  1 failing\n")).toEqual({
      format: "none",
      tests: [],
      passed: 0,
      failed: 0,
      skipped: 0,
      problems: [],
      reports: [],
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

describe("several reports of one run", () => {
  const tap = (names: string[], failing: string[] = []) =>
    `TAP version 13\n${names.map((name, at) => `${failing.includes(name) ? "not " : ""}ok ${at + 1} ${name}\n`).join("")}1..${names.length}\n`;
  const junit = (names: string[], failing: string[] = []) =>
    `<testsuite name="s">${names.map((name) => `<testcase name="${name}">${failing.includes(name) ? "<failure/>" : ""}</testcase>`).join("")}</testsuite>`;
  const vitest = (names: string[]) =>
    JSON.stringify({
      numTotalTests: names.length,
      testResults: [
        {
          name: "/workspace/a.js",
          status: "passed",
          assertionResults: names.map((title) => ({ title, status: "passed" })),
        },
      ],
    });

  it("are added up, and a failure anywhere is one", () => {
    const results = parse(`${tap(["a", "b"], ["b"])}\n${vitest(["c"])}\n${tap(["d"])}`, [
      { path: "mod-a/target/surefire-reports/TEST-a.xml", text: junit(["e", "f"]) },
      { path: "mod-b/target/surefire-reports/TEST-b.xml", text: junit(["g"]) },
    ]);
    expect(results).toMatchObject({ format: "several", passed: 6, failed: 1, skipped: 0 });
    expect(results.reports.map(({ format, where }) => [format, where])).toEqual([
      ["vitest-json", "output"],
      ["tap", "output"],
      ["tap", "output"],
      ["junit", "mod-a/target/surefire-reports/TEST-a.xml"],
      ["junit", "mod-b/target/surefire-reports/TEST-b.xml"],
    ]);
  });

  it("count once where two formats tell of the same tests", () => {
    const names = ["math adds", "math fails"];
    const results = parse(tap(names, ["math fails"]), [
      { path: "junit.xml", text: junit(names, ["math fails"]) },
    ]);
    expect(results).toMatchObject({ format: "tap", passed: 1, failed: 1 });
    expect(results.reports[1]).toMatchObject({ where: "junit.xml", repeats: "output" });
  });

  it("count once where one file tells what several streams told", () => {
    const output = `${tap(["a", "b"])}${tap(["c"], ["c"])}`;
    const together = `<testsuites>${junit(["a", "b"])}${junit(["c"], ["c"])}</testsuites>`;
    expect(parse(output, [{ path: "junit.xml", text: together }])).toMatchObject({ passed: 2, failed: 1 });
    expect(
      parse(vitest(["a", "b"]), [
        { path: "a.xml", text: junit(["a"]) },
        { path: "b.xml", text: junit(["b"]) },
      ]),
    ).toMatchObject({ passed: 2 });
  });

  it("count each where they tell of other tests, or in the same format", () => {
    const files = [{ path: "junit.xml", text: junit(["c", "d"]) }];
    expect(parse(tap(["a", "b"]), files)).toMatchObject({ passed: 4 });
    expect(parse(tap(["c", "d"], ["d"]), files)).toMatchObject({ passed: 3, failed: 1 });
    expect(parse(`${tap(["a"])}${tap(["a"])}`)).toMatchObject({ passed: 2 });
    const same = junit(["a"]);
    expect(
      parse("", [
        { path: "x/junit.xml", text: same },
        { path: "y/junit.xml", text: same },
      ]),
    ).toMatchObject({ passed: 2 });
  });

  it("count each where their times say that they are two runs", () => {
    const timed = (seconds: number) => `<testsuite><testcase name="a" time="${seconds}"/></testsuite>`;
    const output = "TAP version 13\nok 1 - a # time=20ms\n1..1\n";
    expect(parse(output, [{ path: "a.xml", text: timed(0.0204) }])).toMatchObject({ passed: 1 });
    expect(parse(output, [{ path: "a.xml", text: timed(9.5) }])).toMatchObject({ passed: 2 });
  });

  it("count pytest once where its last line and its XML tell of the same run", () => {
    const xml = (name: string) =>
      `<testsuites><testsuite name="${name}"><testcase name="test_a"/></testsuite></testsuites>`;
    const output = "=== 1 passed in 0.01s ===";
    expect(parse(output, [{ path: "junit.xml", text: xml("pytest") }])).toMatchObject({ passed: 1 });
    expect(parse(output, [{ path: "junit.xml", text: xml("jest tests") }])).toMatchObject({ passed: 2 });
  });

  it("are not looked for in each other", () => {
    const inside = `<testsuite><testcase name="a"><system-out><![CDATA[\n${tap(["x"], ["x"])}${vitest(["y"])}\n]]></system-out></testcase></testsuite>`;
    expect(parse(inside)).toMatchObject({ format: "junit", passed: 1, failed: 0 });
  });
});

describe("a report file", () => {
  const xml = '<testsuite name="s" tests="1"><testcase name="a"/></testsuite>';

  it.each([
    ["junit.xml", "", /junit\.xml cannot be read: it is empty/],
    ["junit.xml", " \n", /it is empty/],
    ["results.xml", '<?xml version="1.0"?>\n<TestRun><Results/></TestRun>', /its root element is <TestRun>/],
    ["results.xml", "<!-- c --><test-run id='1'/>", /its root element is <test-run>/],
    ["mine.xml", "<html>hi</html>", /its root element is <html>/],
    ["report.xml", `<report>${xml}</report>`, /its root element is <report>/],
    ["report.xml", '<testcase name="x"><failure/></testcase>', /its root element is <testcase>/],
    ["results.json", "{}", /it holds no TAP, no JUnit XML and no JSON of a known runner/],
    ["results.json", '{"numTotal', /it holds no TAP/],
    ["results.json", "[1, 2]", /it holds no TAP/],
    ["out/report.txt", "all fine\n", /out\/report\.txt cannot be read/],
  ])("without a document is a problem that names it: %s, %j", (path, text, problem) => {
    const results = parse("1..1\nok 1 - other\n", [{ path, text }]);
    expect(results).toMatchObject({ passed: 1, problems: [expect.stringMatching(problem)] });
    expect(parse("", [{ path, text }])).toMatchObject({
      format: "none",
      problems: [expect.stringMatching(problem)],
    });
  });

  it("with a document that proves nothing is named by the problem", () => {
    const files = [{ path: "a/junit.xml", text: xml.slice(0, -5) }];
    expect(parse("", files).problems).toEqual(["a/junit.xml: a JUnit report is cut off: its end is missing"]);
  });

  it("with a document of any kind, or with one that has no tests, is none", () => {
    for (const text of [
      xml,
      "<testsuites/>",
      "1..1\nok 1 - a\n",
      '{"numTotalTests":0,"testResults":[]}',
      "=== 1 passed in 0.1s ===",
    ])
      expect(parse("", [{ path: "report.xml", text }]).problems).toEqual([]);
  });
});

describe("lines with the prefix of a package", () => {
  const prefixed = (prefix: string, text: string) =>
    text
      .split("\n")
      .map((line) => `${prefix}${line}\n`)
      .join("");
  const tap = "TAP version 13\n1..2\nok 1 - a\nnot ok 2 - b\n  ---\n  message: no\n  ...";
  const texts: [string, string][] = [
    ["TAP", tap],
    ["TAP without a version", "1..2\nok 1 - a\nnot ok 2 - b"],
    ["node:test", "✔ a (0.5ms)\n✖ b (0.6ms)\nℹ tests 2\nℹ pass 1\nℹ fail 1"],
    ["pytest", "FAILED t.py::b - no\n=== 1 failed, 1 passed in 0.12s ==="],
    [
      "cargo",
      "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
    ],
    [
      "JUnit XML",
      '<testsuite tests="2">\n<testcase name="a"/>\n<testcase name="b"><failure/></testcase>\n</testsuite>',
    ],
    [
      "JSON",
      JSON.stringify(
        {
          numTotalTests: 2,
          testResults: [
            {
              name: "f",
              assertionResults: [
                { title: "a", status: "passed" },
                { title: "b", status: "failed" },
              ],
            },
          ],
        },
        null,
        2,
      ),
    ],
  ];

  it.each(
    texts.flatMap(([name, text]) =>
      [
        "web:test: ",
        "@acme/web:test: ",
        "packages/web test: ",
        ". test: ",
        "@acme/web: ",
        "[web] ",
        "[web]: ",
        "[0] ",
        "web-1  | ",
      ].map((prefix) => [name, prefix, text] as const),
    ),
  )("are read: %s behind %j", (_, prefix, text) => {
    expect(parse(`building\n${prefixed(prefix, text)}done\n`)).toMatchObject({
      passed: 1,
      failed: 1,
      problems: [],
    });
  });

  it("are read of several packages whose lines are mixed, beside lines without one", () => {
    const [web, api] = [prefixed("web:test: ", tap).split("\n"), prefixed("api:test: ", tap).split("\n")];
    const mixed = web.flatMap((line, at) => [line, api[at] ?? ""]).join("\n");
    expect(parse(`${mixed}\n1..1\nok 1 - alone\n`)).toMatchObject({ passed: 3, failed: 2, problems: [] });
  });

  it("keep go's events of several packages apart", () => {
    const line = (Package: string, Action: string) =>
      `${Package}:test: ${JSON.stringify({ Action, Package, Test: "T" })}\n${Package}:test: ${JSON.stringify({ Action, Package })}\n`;
    expect(parse(`${line("web", "pass")}${line("api", "fail")}`)).toMatchObject({ passed: 1, failed: 1 });
  });

  it("are no reports where they only look like some", () => {
    expect(parse("[INFO] ok\n[INFO] not ok\n[INFO] 3 passed\n").format).toBe("none");
    expect(parse("Tests: 3 passed in 0.1s\n").format).toBe("none");
    expect(parse("range: 1..5\nrange: 1..9\n").format).toBe("none");
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
          stderr: "",
          files: [{ path: "junit.xml", text: file }],
          tree: "/workspace",
        });
        const counted = results.passed + results.failed + results.skipped;
        expect(counted).toBeGreaterThanOrEqual(results.tests.length);
        const sum = results.reports.filter(({ repeats }) => repeats === null);
        expect(sum.reduce((all, each) => all + each.failed, 0)).toBe(results.failed);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["objects in objects, a line each", '{"a":\n'.repeat(500_000)],
    ["objects that end where they may not", `${'{"a":\n'.repeat(400)}!\n`.repeat(1000)],
    ["arrays that never close", "[\n".repeat(1_000_000)],
    ["beginnings of streams", "TAP version 13\n1..1\n".repeat(150_000)],
    ["containers that never close", "ok 1 - a {\n".repeat(250_000)],
    ["lines of go", `${'{"Action":"run","Package":"p","Test":"T/a"}\n'.repeat(60_000)}`],
    ["binaries that never end", "running 1 test\ntest a ... ok\n".repeat(100_000)],
    ["counts of pytest", `${"1 passed, ".repeat(150)}x\n`.repeat(1500)],
    ["beginnings of XML", "<testsuite\n".repeat(300_000)],
    ["documents on one line", "<testsuite/>".repeat(50_000)],
    ["suites with a test", '<testsuite><testcase name="a"/></testsuite>'.repeat(20_000)],
    ["comments on lines", "<!--\n".repeat(200_000)],
    ["comments that end", "<!-- a -->\n".repeat(100_000)],
    ["instructions", "<?xml ".repeat(200_000)],
    ["instructions that end", "x<?xml ?>".repeat(100_000)],
    ["document types", "<!DOCTYPE a [\n".repeat(70_000)],
    ["document types that end", "<!DOCTYPE testsuite>\n".repeat(50_000)],
    ["objects on one line", '{"a":1}'.repeat(100_000)],
    ["heads of reports", '{"stats":{'.repeat(100_000)],
    ["heads of events", 'x["pass",{'.repeat(100_000)],
    ["blanks", " ".repeat(1_000_000)],
    ["lines of blanks", `${" ".repeat(1000)}<`.repeat(1000)],
    ["plans", "1..3\n".repeat(200_000)],
    [
      "tests in tests",
      `<testsuite>${'<testcase name="a">'.repeat(500)}${"</testcase>".repeat(500)}</testsuite>`,
    ],
    [
      "wrappers",
      `<testsuite>${"<g>".repeat(90)}${'<testcase name="a"/>'.repeat(30_000)}${"</g>".repeat(90)}</testsuite>`,
    ],
    ["prefixes", Array.from({ length: 20_000 }, (_, n) => `p${n}:test: ok\np${n}:test: 1\n`).join("")],
    ["parts of prefixes", "a:".repeat(500_000)],
    ["many parts of prefixes", `${"a.".repeat(200)}\n`.repeat(2000)],
    ["comments that never end", "<testsuites>\n<!--\n".repeat(150_000)],
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
    // Time of the processor, not of the clock: what else runs here does not count.
    const before = process.cpuUsage();
    parse(hostile, [{ path: "junit.xml", text: hostile }]);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(15_000);
  });
});
