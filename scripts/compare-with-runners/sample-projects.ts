import { ownCounts } from "./own-counts.ts";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One way in which a runner reports a run. */
interface Form {
  name: string;
  /** Run in the project's directory by `sh -c`; `$TOOLS` is where npm's packages are. */
  command: string;
  /** Globs of report files; without any the output is the report. */
  reports?: readonly string[];
}

/** A package of a runner: the run that counts by itself, and the forms that must count the same. */
export interface Project {
  name: string;
  files: Record<string, string>;
  /** What says how many passed, failed and were skipped, in the runner's own words. */
  own: { command: string; counts: (output: string) => Counts | null };
  forms: readonly Form[];
}

export const PACKAGE = JSON.stringify({ name: "sums", version: "1.0.0", private: true });
export const MODULE = JSON.stringify({ name: "sums", version: "1.0.0", private: true, type: "module" });

export const NODE_MIXED = {
  "package.json": MODULE,
  "a.test.mjs": `import { describe, it } from "node:test";
import assert from "node:assert/strict";
describe("math", () => {
  it("adds", () => { console.log("ok 1 - printed"); assert.equal(1 + 1, 2); });
  it("subtracts # twice", () => assert.equal(2 - 1, 2));
  it("later", { skip: "no time" }, () => {});
  it("some day", { todo: true }, () => {});
  describe("deep", () => { it("a <b> & 'c'", () => {}); it("throws", () => { throw new TypeError("no"); }); });
});
`,
  "b.test.mjs": `import { it } from "node:test";\nit("alone", () => {});\n`,
};
export const NODE_BROKEN = {
  "package.json": MODULE,
  "a.test.mjs": `import { it } from "node:test";\nit("fine", () => {});\n`,
  "b.test.mjs": `throw new Error("cannot load");\n`,
};
export const NODE_PASSING = {
  "package.json": MODULE,
  "a.test.mjs": `import { test, describe } from "node:test";\ndescribe("s", () => { test("one", () => {}); test("two", () => {}); });\n`,
};
const nodeForms: Form[] = [
  ...["spec", "tap", "junit"].map((reporter) => ({
    name: reporter,
    command: `node --test --test-reporter=${reporter}`,
  })),
  { name: "junit on one line", command: "node --test --test-reporter=junit | tr -d '\\n'" },
  ...["spec", "tap", "junit"].map((reporter) => ({
    name: `${reporter} with a prefix`,
    command: `node --test --test-reporter=${reporter} | sed 's/^/web:test: /'`,
  })),
];
export const nodeProject = (name: string, files: Record<string, string>): Project => ({
  name,
  files,
  own: { command: "node --test --test-reporter=spec", counts: ownCounts.nodeTest },
  forms: nodeForms,
});

/** Vitest and Jest take the same tests; only where the functions come from differs. */
export const jestLike = (header: string, todo: string) => `${header}
describe("math", () => {
  it("adds", () => { console.log('{"noise": true}'); expect(1 + 1).toBe(2); });
  it("fails", () => expect(1).toBe(2));
  it.skip("later", () => {});
  ${todo}("some day"${todo === "it.todo" ? "" : ", () => {}"});
  describe("deep", () => { it.each([1, 2])("case %i <&>", () => {}); });
});
`;
export const vitestHeader = 'import { describe, expect, it } from "vitest";';
export const BROKEN_SUITE = 'throw new Error("suite cannot load");\n';
const vitest = "$TOOLS/node_modules/.bin/vitest run --root . --no-cache";
export const vitestProject = (name: string, files: Record<string, string>): Project => ({
  name,
  files: { "package.json": MODULE, ...files },
  own: { command: `${vitest} --reporter=default 2>&1`, counts: ownCounts.vitest },
  forms: [
    { name: "json", command: `${vitest} --reporter=json` },
    {
      name: "json file",
      command: `${vitest} --reporter=json --outputFile=results.json`,
      reports: ["results.json"],
    },
    { name: "tap", command: `${vitest} --reporter=tap` },
    { name: "tap-flat", command: `${vitest} --reporter=tap-flat` },
    { name: "junit", command: `${vitest} --reporter=junit` },
    {
      name: "json and junit of one run",
      command: `${vitest} --reporter=json --reporter=junit --outputFile.junit=junit.xml`,
      reports: ["junit.xml"],
    },
  ],
});

const jest = "$TOOLS/node_modules/.bin/jest --rootDir . --no-cache --no-watchman";
export const jestProject = (name: string, files: Record<string, string>): Project => ({
  name,
  files: { "package.json": PACKAGE, ...files },
  own: { command: `${jest} 2>&1`, counts: ownCounts.jest },
  forms: [
    { name: "json", command: `${jest} --json` },
    { name: "json file", command: `${jest} --json --outputFile=results.json`, reports: ["results.json"] },
  ],
});

/** jest-junit writes a todo like a test that passed, so there is none here. */
export const jestJunitProject: Project = {
  name: "without a todo",
  files: { "package.json": PACKAGE, "a.test.js": jestLike("", "it.skip.each([1])") },
  own: { command: `${jest} 2>&1`, counts: ownCounts.jest },
  forms: [
    {
      name: "jest-junit",
      command: `${jest} --reporters=$TOOLS/node_modules/jest-junit`,
      reports: ["junit.xml"],
    },
  ],
};

export const MOCHA_TESTS = `const assert = require("node:assert");
describe("math", () => {
  it("adds", () => { console.log("{ noise: true }"); assert.equal(1 + 1, 2); });
  it("fails", () => assert.equal(1, 2));
  it("later");
  it.skip("skipped", () => {});
  describe("deep", () => { it("a <b> & c", () => {}); });
});
describe("hooks", () => { before(() => { throw new Error("no database"); }); it("never runs", () => {}); });
`;
export const mocha = "$TOOLS/node_modules/.bin/mocha t.js";
export const mochaForms: Form[] = [
  { name: "json", command: `${mocha} --reporter json` },
  {
    name: "json file",
    command: `${mocha} --reporter json --reporter-option output=results.json`,
    reports: ["results.json"],
  },
  { name: "json-stream", command: `${mocha} --reporter json-stream` },
  { name: "xunit", command: `${mocha} --reporter xunit` },
  { name: "tap", command: `${mocha} --reporter tap` },
];

export const TAPE_TESTS = `const test = require(process.env.TOOLS + "/node_modules/tape");
test("sums", (t) => { t.equal(1 + 1, 2, "adds"); t.equal(1, 2, "is wrong"); t.end(); });
test("plan", (t) => { t.plan(2); t.ok(true); t.ok(true, "a # in a name"); });
test("skips", (t) => { t.skip("not here"); t.end(); });
test("later", { todo: true }, (t) => { t.fail("not yet"); t.end(); });
`;
export const tape = "$TOOLS/node_modules/.bin/tape t.js";

export const AVA_TESTS = `import test from "ava";
test("adds", (t) => t.is(1 + 1, 2));
test("fails", (t) => t.is(1, 2));
test.skip("later", (t) => t.pass());
test.todo("some day");
test("logs", (t) => { t.log("a line"); t.pass(); });
`;

export const QUNIT_TESTS = `QUnit.module("math");
QUnit.test("adds", (assert) => assert.equal(1 + 1, 2));
QUnit.test("fails", (assert) => assert.equal(1, 2));
QUnit.skip("later", (assert) => assert.ok(true));
QUnit.todo("some day", (assert) => assert.ok(false));
`;

export const NODE_TAP_TESTS = `const t = require(process.env.TOOLS + "/node_modules/tap");
t.test("math", (t) => { t.equal(1 + 1, 2, "adds"); t.equal(1, 2, "is wrong"); t.end(); });
t.test("deep", (t) => { t.test("inner", (t) => { t.ok(true, "yes"); t.end(); }); t.end(); });
t.pass("alone");
t.ok(false, "later", { skip: "no time" });
t.ok(false, "some day", { todo: true });
`;

export const PYTEST_SUBTESTS = `def test_one(subtests):
    for number in range(3):
        with subtests.test(number=number):
            assert number < 3
`;

export const PYTEST_TESTS = `import pytest
def test_adds():
    print("3 passed")
    assert 1 + 1 == 2
def test_fails():
    assert 1 == 2, "a < b & c"
@pytest.mark.skip(reason="no time")
def test_later(): pass
@pytest.mark.xfail
def test_expected(): assert False
@pytest.mark.parametrize("n", [1, 2])
def test_each(n): assert n
@pytest.fixture
def broken(): raise RuntimeError("no database")
def test_error(broken): pass
`;
const pytest = "python3 -m pytest -p no:cacheprovider";
export const pytestProject = (name: string, files: Record<string, string>): Project => ({
  name,
  files,
  own: { command: pytest, counts: ownCounts.pytest },
  forms: [
    { name: "as it is", command: pytest },
    { name: "-q", command: `${pytest} -q` },
    { name: "-v in colour", command: `${pytest} -v --color=yes` },
    { name: "junitxml", command: `${pytest} -q --junitxml=out.xml`, reports: ["out.xml"] },
  ],
});

export const GO_FILES = {
  "go.mod": "module example.com/sums\n\ngo 1.21\n",
  "a/a_test.go": `package a
import "testing"
func TestAdds(t *testing.T) { t.Log("ok 1 - printed") }
func TestFails(t *testing.T) { t.Error("1 is not 2") }
func TestLater(t *testing.T) { t.Skip("no time") }
func TestTable(t *testing.T) { for _, n := range []string{"one", "two/three"} { t.Run(n, func(t *testing.T) {}) } }
func TestNested(t *testing.T) { t.Run("bad", func(t *testing.T) { t.Fatal("no") }); t.Run("good", func(t *testing.T) {}) }
`,
  "b/b_test.go": 'package b\nimport "testing"\nfunc TestFine(t *testing.T) {}\n',
  "c/c.go": "package c\n",
};
export const GO_BROKEN = {
  ...GO_FILES,
  "d/d_test.go": 'package d\nimport "testing"\nfunc TestD(t *testing.T) { undefined() }\n',
};
export const goProject = (name: string, files: Record<string, string>): Project => ({
  name,
  files,
  own: { command: "go test -count=1 -v ./... 2>&1", counts: ownCounts.go },
  forms: [
    { name: "-json", command: "go test -count=1 -json ./..." },
    { name: "-json, one package at a time", command: "go test -count=1 -p 1 -json ./..." },
  ],
});

export const CARGO_FILES = {
  "Cargo.toml": '[package]\nname = "sums"\nversion = "0.1.0"\nedition = "2021"\n',
  "src/lib.rs": `/// Adds.
/// \`\`\`
/// assert_eq!(sums::add(1, 1), 2);
/// \`\`\`
pub fn add(a: i32, b: i32) -> i32 { a + b }
#[cfg(test)]
mod tests {
    use super::*;
    #[test] fn adds() { println!("printed"); assert_eq!(add(1, 1), 2); }
    #[test] fn fails() { assert_eq!(add(1, 1), 3); }
    #[test] #[ignore = "no time"] fn later() {}
    #[test] #[should_panic] fn panics() { panic!("as it should"); }
}
`,
  "tests/outer.rs": "#[test] fn outer() { assert_eq!(sums::add(2, 2), 4); }\n",
};
export const cargo = "cargo test --offline --no-fail-fast";

const JAVA_TEST = `package x;
import org.junit.jupiter.api.*;
import static org.junit.jupiter.api.Assertions.*;
class SumTest {
  static int tries = 0;
  @Test void adds() { assertEquals(2, 1 + 1); }
  @Test void fails() { assertEquals(3, 1 + 1, "a < b & c"); }
  @Test void breaks() { throw new IllegalStateException("closed"); }
  @Test @Disabled("later") void later() {}
  @Test void flaky() { if (tries++ == 0) fail("first try"); }
}
`;
const POM = (
  reruns: number,
) => `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>a</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>
<project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies><dependency><groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>5.11.4</version>
<scope>test</scope></dependency></dependencies>
<build><plugins><plugin><artifactId>maven-surefire-plugin</artifactId><version>3.5.2</version>
<configuration><rerunFailingTestsCount>${reruns}</rerunFailingTestsCount></configuration></plugin></plugins></build></project>
`;
export const mavenProject = (name: string, reruns: number): Project => ({
  name,
  files: { "pom.xml": POM(reruns), "src/test/java/x/SumTest.java": JAVA_TEST },
  own: { command: "mvn -B -o test 2>&1 || mvn -B test 2>&1", counts: ownCounts.surefire },
  forms: [
    { name: "surefire-reports", command: "mvn -B -o test", reports: ["target/surefire-reports/*.xml"] },
  ],
});

export const PERL_TESTS = `use Test::More;
ok(1, "adds"); is(1, 2, "is wrong");
subtest "inner" => sub { plan tests => 2; ok(1, "one"); ok(1, "two # with a mark"); };
SKIP: { skip "no time", 1; ok(0, "later"); }
TODO: { local $TODO = "some day"; ok(0, "not yet"); }
done_testing();
`;

export const BATS_TESTS = `@test "adds" { [ $((1 + 1)) -eq 2 ]; }
@test "fails" { echo "not ok 9 - printed"; false; }
@test "later" { skip "no time"; }
`;
export const bats = "$TOOLS/node_modules/bats/bin/bats t.bats";
