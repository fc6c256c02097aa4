import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { DIRECTORY_PREFIX, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { BuildTestReport, BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { type BuildtestInput, BuildtestOutput } from "#schemas/messages/buildtest.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { fakeSource, fakeSourcePorts } from "#test/fakes/source-tree.ts";
import { underEachBackend } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { buildAndTest } from "./build-and-test.ts";

const profile = generousProfile({ cpu_seconds: 40, processes_max: 300, memory_bytes_max: 2e9 });

/** A real package with node:test; `sum` may be given wrong. */
function project(sum = "a + b"): Record<string, string> {
  return {
    "package.json": JSON.stringify({
      name: "sums",
      version: "1.0.0",
      type: "module",
      scripts: { build: "node build.js", test: "node --test", broken: "no-such-runner --all" },
    }),
    "sum.js": `export const sum = (a, b) => ${sum};\n`,
    "build.js": "import { writeFileSync } from 'node:fs'; writeFileSync('built.txt', 'yes');\n",
    "sum.test.js": `
      import assert from "node:assert/strict";
      import { existsSync } from "node:fs";
      import { describe, it } from "node:test";
      import { sum } from "./sum.js";
      describe("sum", () => {
        it("adds", () => assert.equal(sum(2, 2), 4));
        it("adds nothing", () => assert.equal(sum(7, 0), 7));
        it("was built", { skip: !existsSync("built.txt") }, () => {});
      });`,
  };
}

async function run(
  files: Record<string, string>,
  commands: Partial<BuildtestInput>,
  {
    backend = processBackend,
    limits = {},
  }: { backend?: SandboxBackend; limits?: Partial<SandboxProfile> } = {},
  diff?: Record<string, string>,
) {
  const fake = fakeAgentContext({ service: "buildtest", step: "buildtest" });
  const result = await buildAndTest(
    {
      source: await fakeSource(fake.blobs, files),
      profile: "small",
      ...commands,
      ...(diff && { diff: await fake.blobs.write(JSON.stringify(diff), "text/x-diff") }),
    },
    fake.context,
    {
      ...fakeSourcePorts(fake.blobs),
      backend,
      sandboxLimits: () => ({
        value: {
          $schema: "",
          source_bytes_max: 1e6,
          tree_bytes_max: 1e6,
          tree_files_max: 100,
          profiles: { small: { ...profile, ...limits } },
        },
        hash: "a".repeat(64),
      }),
    },
  );
  const json = (path: string) => JSON.parse(fake.artifacts.get(path)?.bytes.toString() ?? "null");
  const report = BuildTestReport.parse(json("build-test/report.json"));
  const logs = report.phases.flatMap((phase) => phase.log ?? []);
  expect([...fake.artifacts.keys()].sort()).toEqual(
    ["build-test/report.json", "build-test/summary.json", ...logs].sort(),
  );
  for (const phase of report.phases) expect(phase.log === null).toBe(phase.command === "");
  expect(BuildTestSummary.parse(json("build-test/summary.json")).reason).toBe(report.reason);
  expect(BuildtestOutput.parse(result.output).verdict).toBe(result.verdict);
  expect(await fake.blobs.readText(result.output!.report)).toBe(
    fake.artifacts.get("build-test/report.json")?.bytes.toString(),
  );
  expect([report.verdict, report.code]).toEqual([result.verdict, result.code ?? null]);
  const log = (name: string) => fake.artifacts.get(`build-test/${name}.log`)?.bytes.toString() ?? "";
  return { result, report, log };
}

await underEachBackend(
  (name) => `building and testing a package with npm under ${name}`,
  (backend) => {
    const commands = { build: "npm run build", test: "npm test" };

    it("passes, and reports each test", async () => {
      const { result, report, log } = await run(project(), commands, { backend });
      expect(result).toMatchObject({ verdict: "passed", message: "3 tests passed" });
      expect(report).toMatchObject({
        test_format: "node-test",
        tests_passed: 3,
        isolation: backend.isolation,
        isolation_backend: backend.name,
        first_failure: null,
        diff_sha256: null,
      });
      expect(report.phases.map((phase) => [phase.name, phase.status, phase.exit_code])).toEqual([
        ["build", "passed", 0],
        ["test", "passed", 0],
      ]);
      expect(log("test")).toContain("✔ adds");
    });

    it("applies the diff first, and says which test it broke", async () => {
      const { result, report } = await run(
        project(),
        commands,
        { backend },
        { "sum.js": project("a - b")["sum.js"]! },
      );
      expect(result).toMatchObject({
        verdict: "failed",
        code: "TESTS_FAILED",
        message: "1 of 3 tests failed",
      });
      expect(report.tests.find((test) => test.status === "failed")).toMatchObject({
        name: "sum > adds",
        file: "sum.test.js",
      });
      expect(report.first_failure).toMatch(/^sum > adds\n[\s\S]*0 !== 4/);
      expect(report.diff_sha256).toMatch(/^[0-9a-f]{64}$/);
    });

    it("takes no report of the machine's through a link out of the tree", async () => {
      const host = temporaryDirectory("host");
      mkdirSync(join(host, "surefire-reports"));
      const report = (name: string) =>
        `<testsuite name="s"><testcase name="${name}"><failure>no</failure></testcase></testsuite>`;
      for (const file of ["surefire-reports/TEST-a.xml", "junit.xml"]) {
        writeFileSync(join(host, file), report("of the machine"));
      }
      const links = `ln -s ${host} target && ln -s ${host} reports && ln -s ${host}/junit.xml junit.xml`;
      const linked = await run({}, { test: links }, { backend });
      expect(linked.report).toMatchObject({ verdict: "failed", test_format: "none", tests: [] });
      expect(linked.report.test_problems).toEqual([
        expect.stringMatching(/junit\.xml cannot be read: it is a link/),
      ]);
      const own = `${links} && echo '${report("own")}' > results.xml`;
      const both = await run({}, { test: own }, { backend });
      expect(both.report.tests).toMatchObject([{ name: expect.stringContaining("own") }]);
    });

    it("stops at a limit and names it, whatever the output says", async () => {
      const files = { "loop.js": "console.log('SANDBOX_MEMORY'); for (;;);" };
      const { result, report } = await run(
        files,
        { test: "node loop.js" },
        { backend, limits: { cpu_seconds: 1 } },
      );
      expect(result).toMatchObject({ verdict: "failed", code: "SANDBOX_CPU_TIME" });
      expect(report.phases[1]).toMatchObject({
        exit_code: null,
        limit: { code: "SANDBOX_CPU_TIME", limit: 1 },
      });
    });
  },
);

describe("the verdict", () => {
  it("is failed when the build fails, and the test does not run", async () => {
    const { result, report, log } = await run(
      {},
      { build: "echo 'x.ts: error TS1005'; exit 2", test: "touch ran" },
    );
    expect(result).toMatchObject({
      verdict: "failed",
      code: "BUILD_FAILED",
      message: "the build ended with exit code 2",
    });
    expect(report.first_failure).toBe("x.ts: error TS1005");
    expect(report.phases[1]?.status).toBe("skipped");
    expect(log("test")).toBe("nothing ran: the build did not pass\n");
  });

  it("is failed when all tests passed and the command did not", async () => {
    const { result } = await run({}, { test: "printf 'TAP version 13\\nok 1 - a\\n1..1\\n'; exit 3" });
    expect(result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED" });
    expect(result.message).toBe(
      "no test failed of 1 test, yet the test command ended with exit code 3: something other than a test failed",
    );
  });

  it("is failed when a test failed and the command hides it", async () => {
    const { result, report } = await run({}, { test: "printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n'; exit 0" });
    expect(result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED", message: "1 of 2 tests failed" });
    expect(report.phases[1]).toMatchObject({ status: "failed", exit_code: 0 });
  });

  it("rests on the exit code alone, and says so, when nothing can be parsed", async () => {
    const passed = await run({}, { test: "echo fine" });
    expect(passed.result).toMatchObject({ verdict: "passed" });
    expect(passed.report).toMatchObject({ test_format: "none", tests: [] });
    expect(passed.result.message).toMatch(/no test report was found, so the exit code alone decided/);
    expect(passed.report.test_notice).toContain("no test report was found");
    const failed = await run({}, { test: "echo fine; exit 1" });
    expect(failed.result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED" });
  });

  it("comes from a report file when the test wrote one, but not from one that was there", async () => {
    const xml = '<testsuite name="s"><testcase name="t"><failure>no</failure></testcase></testsuite>';
    const written = await run({}, { test: `echo '${xml}' > junit.xml` });
    expect(written.report).toMatchObject({ test_format: "junit", tests_failed: 1, verdict: "failed" });
    const old = await run({ "junit.xml": xml }, { test: "true" });
    expect(old.report).toMatchObject({ test_format: "none", verdict: "passed" });
  });

  it.each([
    ["a plan that is too long", "TAP version 13\\n1..5\\nok 1 a\\nok 2 b\\n", "says 5 tests, and 2 reported"],
    ["a plan without tests", "1..5\\n", "says 5 tests, and 0 reported"],
    ["fewer tests than claimed", '<testsuite tests="5"><testcase name="a"/></testsuite>', "names 1"],
    ["no plan", "TAP version 13\\nok 1 a\\nok 2 b\\n", "no plan"],
    ["a report that is cut off", '{"numTotalTests":1,"testResults":[', "cut off"],
  ])("is failed with exit code 0 and %s", async (_, output, problem) => {
    const { result, report } = await run({}, { test: `printf '${output}'` });
    expect(result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED" });
    expect(result.message).toContain(problem);
    expect(report).toMatchObject({ tests_failed: 0, test_problems: [expect.stringContaining(problem)] });
    expect(report.phases[1]).toMatchObject({ status: "failed", exit_code: 0 });
  });

  it.each([
    ["printf 'TAP version 13\\n1..0 # SKIP no tests on this OS\\n'", /no test ran: the report counts none/],
    ["printf '1..1\\nok 1 - a # SKIP no time\\n'", /no test ran: all 1 were skipped/],
    ["true", /no test report was found, so the exit code alone decided/],
    ["echo '> mocha --exit'", /Mocha gives a report with --reporter json/],
  ])(
    "is passed where no test ran, and says so, or failed where tests are required: %s",
    async (test, notice) => {
      const passed = await run({}, { test });
      expect(passed.result).toMatchObject({ verdict: "passed", message: expect.stringMatching(notice) });
      expect(passed.report.test_notice).toMatch(notice);
      const required = await run({}, { test, require_tests: true });
      expect(required.result).toMatchObject({ verdict: "failed", code: "NO_TEST_RAN" });
      expect(required.result.message).toMatch(notice);
    },
  );

  it("is passed with tests required when one ran", async () => {
    const { result } = await run({}, { test: "printf '1..1\\nok 1 - a\\n'", require_tests: true });
    expect(result).toMatchObject({ verdict: "passed", message: "1 test passed" });
  });

  it("adds up every report, and reads files by the names it is given", async () => {
    const xml = (name: string) => `<testsuite name="s"><testcase name="${name}"/></testsuite>`;
    const write = (path: string, name: string) =>
      `mkdir -p $(dirname ${path}); echo '${xml(name)}' > ${path}`;
    const test = [
      write("mod-a/target/surefire-reports/TEST-a.xml", "one"),
      write("mod-b/target/failsafe-reports/TEST-b.xml", "two"),
      write("out/my-report.xml", "three"),
      "printf 'TAP version 13\\nok 1 a\\nnot ok 2 b\\n1..2\\n'",
      "printf 'TAP version 13\\nok 1 c\\n1..1\\n' >&2",
    ].join("; ");
    const usual = await run({}, { test });
    expect(usual.report).toMatchObject({
      test_format: "several",
      tests_passed: 4,
      tests_failed: 1,
      verdict: "failed",
    });
    const named = await run({}, { test, reports: ["out/*-report.xml"] });
    expect(named.report).toMatchObject({ tests_passed: 5, tests_failed: 1 });
    expect(named.report.test_reports).toHaveLength(5);
    const missing = await run({}, { test: "true", reports: ["out/*.xml"] });
    expect(missing.report.test_notice).toContain("wrote no file that matches out/*.xml");
  });

  it.each([
    [": > junit.xml", "junit.xml cannot be read: it is empty", []],
    ["echo '<TestRun><Results/></TestRun>' > results.xml", "its root element is <TestRun>", []],
    ["echo '<html></html>' > mine.xml", "mine.xml cannot be read: it is no JUnit XML", ["mine.xml"]],
    ["echo '{}' > out.json; printf '1..1\\nok 1 - a\\n'", "out.json cannot be read", ["*.json"]],
  ])("is failed when a report file is there and holds no report: %s", async (test, problem, reports) => {
    const { result, report } = await run({}, { test, reports });
    const message = expect.stringContaining(problem);
    expect(result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED", message });
    expect(report).toMatchObject({ test_problems: [message], test_notice: null });
  });

  it("shows the lines around the first failure", async () => {
    const filler = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done";
    const { report } = await run({}, { test: `${filler}; echo '  1) adds'; ${filler}; exit 1` });
    expect(report.first_failure?.split("\n")[4]).toBe("  1) adds");
    const unnamed = await run({}, { test: `${filler}; printf '1..1\\nnot ok 1 - adds\\n'; ${filler}` });
    expect(unnamed.report.first_failure).toContain("line 199\n1..1\nnot ok 1 - adds");
  });

  it.each([
    ["no-such-tool --version", "no-such-tool"],
    ["CI=1 ./missing.sh", "./missing.sh"],
    ["npm run broken", "no-such-runner"],
    ["true && no-such-tool", "no-such-tool"],
  ])("is error when a program is missing: %s", async (test, program) => {
    const { result, report } = await run(project(), { test });
    expect(result).toMatchObject({ verdict: "error", code: "BUILD_ENVIRONMENT_BROKEN" });
    expect(result.message).toContain(`\`${program}\``);
    expect(report.phases[1]).toMatchObject({ status: "error", exit_code: 127 });
  });

  it("is failed, not error, when a command only says 127", async () => {
    const { result } = await run({}, { test: "echo 'sh: 1: jest: not found' >&2; exit 127" });
    expect(result).toMatchObject({ verdict: "failed", code: "TESTS_FAILED" });
  });

  it("is error when the demanded isolation is not to be had, and nothing ran", async () => {
    const { result, report, log } = await run(
      {},
      { test: "true" },
      { limits: { isolation_minimum: "full" } },
    );
    expect(result).toMatchObject({ verdict: "error", code: "SANDBOX_UNAVAILABLE" });
    expect(report.phases.map((phase) => phase.status)).toEqual(["skipped", "error"]);
    expect(log("test")).toMatch(/^nothing ran: /);
  });
});

it("refuses an unknown profile and a job without a command", async () => {
  const unknown = run({}, { test: "true", profile: "constructor" });
  await expect(unknown).rejects.toThrow(RejectedInput);
  await expect(unknown).rejects.toMatchObject({ code: "PROFILE_UNKNOWN" });
  await expect(run({}, {})).rejects.toMatchObject({ code: "COMMAND_MISSING" });
});

it("reports what ran when its tests wrote more than can be read", async () => {
  const fake = fakeAgentContext();
  const ports = fakeSourcePorts(fake.blobs);
  const limit = new RejectedInput("COMPUTATION_TIME_LIMIT", "the report takes too long to read");
  const result = await buildAndTest(
    { source: await fakeSource(fake.blobs, {}), profile: "small", test: "echo it ran" },
    fake.context,
    {
      ...ports,
      code: { ...ports.code, readTestResults: () => Promise.reject(limit) },
      backend: processBackend,
      sandboxLimits: () => ({
        value: {
          $schema: "",
          source_bytes_max: 1,
          tree_bytes_max: 1,
          tree_files_max: 1,
          profiles: { small: profile },
        },
        hash: "a".repeat(64),
      }),
    },
  );
  expect(result).toMatchObject({ verdict: "failed", code: "COMPUTATION_TIME_LIMIT" });
  expect(fake.artifacts.get("build-test/test.log")?.bytes.toString()).toContain("it ran");
  expect(fake.artifacts.has("build-test/report.json")).toBe(true);
});

it("stops when its lease is lost, and leaves no directory behind", async () => {
  const own = `${DIRECTORY_PREFIX}${workerMark()}-`;
  const directories = () => readdirSync(tmpdir()).filter((name) => name.startsWith(own));
  const before = directories();
  const fake = fakeAgentContext();
  const ports = fakeSourcePorts(fake.blobs);
  const running = buildAndTest(
    { source: await fakeSource(fake.blobs, {}), profile: "small", test: "sleep 600" },
    fake.context,
    {
      ...ports,
      unpackSource: async (archive, directory) => {
        await ports.unpackSource(archive, directory);
        setTimeout(() => fake.abort(new Error("lease lost")), 200);
      },
      backend: processBackend,
      sandboxLimits: () => ({
        value: {
          $schema: "",
          source_bytes_max: 1,
          tree_bytes_max: 1,
          tree_files_max: 1,
          profiles: { small: profile },
        },
        hash: "a".repeat(64),
      }),
    },
  );
  await expect(running).rejects.toThrow("lease lost");
  expect(fake.artifacts.size).toBe(0);
  expect(directories().filter((name) => !before.includes(name))).toEqual([]);
});
