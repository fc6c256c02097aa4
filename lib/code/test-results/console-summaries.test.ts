import { describe, expect, it } from "vitest";
import { parseTestResults } from "#lib/code/test-results/parse-test-results.ts";

const read = (stdout: string) => parseTestResults({ stdout, stderr: "", files: [], tree: "/none" });
const line = (event: object) => JSON.stringify(event);

describe("go test -json", () => {
  const run = (Package: string, Test: string, Action: string, Elapsed = 0.01) =>
    line({ Action, Package, Test, Elapsed });
  const ended = (Package: string, Action: string) => line({ Action, Package, Elapsed: 0.1 });

  it("gives leaf tests of all packages, also when their lines are mixed", () => {
    const results = read(
      [
        run("a", "TestA", "run"),
        run("b", "TestB", "run"),
        line({ Action: "output", Package: "a", Test: "TestA/one", Output: "    a_test.go:3: 1 is not 2\n" }),
        run("a", "TestA/one", "fail"),
        run("a", "TestA/two", "pass"),
        run("a", "TestA", "fail"),
        run("b", "TestB", "skip"),
        ended("a", "fail"),
        ended("b", "pass"),
        ended("c", "skip"),
      ].join("\n"),
    );
    expect(results).toMatchObject({ format: "go-test", passed: 1, failed: 1, skipped: 1, problems: [] });
    expect(results.tests.find(({ status }) => status === "failed")).toMatchObject({
      name: "a > TestA > one",
      failure: "a_test.go:3: 1 is not 2",
      duration_ms: 10,
    });
  });

  it("counts a package that does not build, and a test that never ended, as failed", () => {
    expect(read(ended("a", "fail"))).toMatchObject({ passed: 0, failed: 1 });
    expect(read([run("a", "TestA", "run"), ended("a", "fail")].join("\n"))).toMatchObject({
      passed: 0,
      failed: 1,
    });
  });

  it("has a problem with a package that did not build, of which it says nothing else", () => {
    const text = ["build-output", "build-fail"].map((Action) => line({ Action, ImportPath: "a [a.test]" }));
    expect(read(text.join("\n")).problems).toEqual(["the package a [a.test] did not build"]);
  });

  it("has a problem when it is cut off", () => {
    expect(read([run("a", "TestA", "pass"), run("a", "TestB", "run")].join("\n")).problems.join()).toMatch(
      /cut off/,
    );
  });

  it("is added up over several runs of the same package", () => {
    const once = [
      line({ Action: "start", Package: "a" }),
      run("a", "TestA", "pass"),
      ended("a", "pass"),
    ].join("\n");
    expect(read(`${once}\n${once}\n`)).toMatchObject({ passed: 2, problems: [] });
  });

  it("is not seen in other logs of JSON", () => {
    expect(read(line({ Action: "deploy", Package: "a" })).format).toBe("none");
  });
});

describe("cargo test", () => {
  const binary = (tests: string, result: string, planned = 2) =>
    `\nrunning ${planned} tests\n${tests}\ntest result: ${result}; 0 measured; 0 filtered out; finished in 0.00s\n`;

  it("is added up over several binaries", () => {
    const text = `     Running unittests src/lib.rs (target/debug/deps/sums-1)\n${binary("test tests::adds ... ok\ntest tests::fails ... FAILED\n\nfailures:\n\n---- tests::fails stdout ----\nthread panicked at src/lib.rs:9\n\n\nfailures:\n    tests::fails\n", "FAILED. 1 passed; 1 failed; 0 ignored")}   Doc-tests sums\n${binary("test src/lib.rs - add (line 1) ... ok\ntest tests::later ... ignored, no time", "ok. 1 passed; 0 failed; 1 ignored")}`;
    const results = read(text);
    expect(results).toMatchObject({ format: "cargo-test", passed: 2, failed: 1, skipped: 1, problems: [] });
    expect(results.tests.find(({ status }) => status === "failed")).toMatchObject({
      name: "tests::fails",
      file: "src/lib.rs",
      failure: "thread panicked at src/lib.rs:9",
    });
  });

  it("is counted where no line names a test, or output breaks the line that does", () => {
    expect(read(binary("..", "ok. 2 passed; 0 failed; 0 ignored"))).toMatchObject({ passed: 2, failed: 0 });
    expect(
      read(binary("test a ... printed\nok\ntest b ... ok", "ok. 2 passed; 0 failed; 0 ignored")),
    ).toMatchObject({ passed: 2 });
    expect(read(binary("", "ok. 0 passed; 0 failed; 0 ignored", 0))).toMatchObject({
      format: "cargo-test",
      passed: 0,
    });
  });

  it.each([
    ["test a ... ok", "ok. 1 passed; 0 failed; 0 ignored"],
    ["", "ok. 0 passed; 0 failed; 0 ignored"],
  ])("has a problem when its result counts fewer than it runs: %s", (tests, result) => {
    expect(read(binary(tests, result)).problems).toEqual([
      expect.stringMatching(/^cargo test runs 2 tests, and its result counts [01]$/),
    ]);
  });

  it("has a problem when it is cut off, and is not seen in a line that only says running", () => {
    expect(read("running 2 tests\ntest a ... ok\n")).toMatchObject({
      passed: 1,
      problems: [expect.stringMatching(/cut off/)],
    });
    expect(read("running 2 tests\nall fine\n").format).toBe("none");
  });
});

describe("pytest's last line", () => {
  it.each([
    ["=== 3 failed, 2 passed in 0.12s ===", [2, 3, 0]],
    ["3 failed, 2 passed in 0.12s", [2, 3, 0]],
    [
      "==== 1 failed, 2 passed, 3 skipped, 4 deselected, 5 xfailed, 6 xpassed, 7 warnings, 8 errors in 75.31s (0:01:15) ====",
      [8, 9, 8],
    ],
    ["1 passed, 1 rerun in 0.10s", [1, 0, 0]],
    ["1 error in 0.05s", [0, 1, 0]],
    ["no tests ran in 0.00s", [0, 0, 0]],
    ["=== no tests ran in 0.00s ===", [0, 0, 0]],
    [
      "\u001b[32m===== \u001b[32m\u001b[1m5 passed\u001b[0m\u001b[32m in 0.01s\u001b[0m\u001b[32m =====\u001b[0m",
      [5, 0, 0],
    ],
  ])("is counted: %s", (text, counts) => {
    const { format, passed, failed, skipped } = read(`test_a.py .F\n${text}\r\n`);
    expect([format, [passed, failed, skipped]]).toEqual(["pytest", counts]);
  });

  it.each([
    [
      "collected 3 items\n!!! _pytest.outcomes.Exit: no database !!!\n1 passed in 0.1s",
      /ended before all tests/,
    ],
    [
      "!!!!!! KeyboardInterrupt !!!!!!\n1 passed in 0.1s",
      /ended before all tests had run: KeyboardInterrupt/,
    ],
    ["collected 3 items\n1 passed, 1 skipped in 0.1s", /collected 3 tests, and 2 ended/],
    ["2 workers [3 items]\n2 passed in 0.1s", /collected 3 tests, and 2 ended/],
  ])("has a problem when the run ended early: %j", (text, problem) => {
    expect(read(text).problems.join()).toMatch(problem);
  });

  it.each([
    "collected 5 items / 2 deselected / 3 selected\n3 passed, 2 deselected in 0.1s",
    "collected 3 items\n1 passed, 1 xfailed, 1 xpassed, 2 warnings in 0.1s",
    "collected 1 item / 1 skipped\n1 passed, 1 skipped in 0.1s",
    "collected 2 items\n1 failed, 1 passed in 0.1s\ncollected 1 item\n1 passed in 0.1s",
    "collected 3 items\n!!! stopping after 1 failures !!!\n1 failed in 0.1s",
  ])("has none when all are told: %j", (text) => {
    expect(read(text).problems).toEqual([]);
  });

  it("is added up over several runs, and what failed is named", () => {
    const text =
      "FAILED tests/test_a.py::test_one[a b] - assert 1 == 2\n1 failed, 1 passed in 0.1s\n2 passed in 0.1s\n";
    expect(read(text)).toMatchObject({
      passed: 3,
      failed: 1,
      tests: [{ name: "tests/test_a.py > test_one[a b]", file: "tests/test_a.py", failure: "assert 1 == 2" }],
    });
  });

  it.each(["Tests: 3 passed, 3 total", "  3 passed (2.1s)", "we saw 3 passed in 0.12s", "3 apples in 0.12s"])(
    "is not seen in %s",
    (text) => expect(read(text).format).toBe("none"),
  );
});
