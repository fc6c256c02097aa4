import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import { reportAdviceAfter } from "#lib/code/test-results/test-runners.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { limitReason, type PhaseRun } from "#lib/sandbox/run-phase.ts";
import type { BuildtestInput } from "#schemas/messages/buildtest.ts";
import type { Verdict } from "#schemas/primitives.ts";
import { linesAround, logExcerpt } from "./log-excerpt.ts";
import type { BuildtestRun } from "./run-build-and-test.ts";

export interface Judgement {
  verdict: Verdict;
  code: ErrorCode | null;
  /** One sentence for a person. */
  reason: string;
  first_failure: string | null;
  /** What the counts do not say: that no test ran, or that the exit code alone decided. */
  test_notice: string | null;
}

type Demands = Pick<BuildtestInput, "require_tests" | "reports">;
type Verdicts = Omit<Judgement, "test_notice">;

/** The verdict of a run, and what is to be known of its tests beside their counts. */
export function judge(run: BuildtestRun, demands: Demands = {}): Judgement {
  const notice = testNotice(run, demands);
  return { ...verdictOf(run, demands, notice), test_notice: notice };
}

/**
 * `passed` needs both an exit code of 0 and no failed test among the parsed results; otherwise the verdict is `failed`.
 * `error` means that the submitted work is not at fault: there is no sandbox, a program is missing from the sandbox
 * (confirmed by a look-up), or a package registry could not be reached.
 */
function verdictOf(run: BuildtestRun, demands: Demands, notice: string | null): Verdicts {
  const { install, build, test, missing_program } = run;
  const unavailable = install?.unavailable ?? build.unavailable ?? test.unavailable;
  if (unavailable) return error(unavailable.code, unavailable.message, null);
  const ended = [test, build].find(({ result }) => result) ?? install ?? build;
  if (missing_program) {
    const reason = `the ${ended.phase.name} needs \`${missing_program}\`, which is not in the sandbox: ${INSTALL_ADVICE}, or put it on the profile's PATH`;
    return error("BUILD_ENVIRONMENT_BROKEN", reason, excerpt(ended));
  }
  const { limit } = ended.phase;
  // A failed test tells more than a refused connection.
  const told_by_tests = limit?.code === "SANDBOX_NETWORK_DENIED" && run.tests.failed > 0;
  if (limit && !told_by_tests) {
    const hint = limit.code === "SANDBOX_NETWORK_DENIED" ? networkHint(run, ended) : "";
    return failed(limit.code, `${limitReason(`the ${ended.phase.name}`, limit)}${hint}`, excerpt(ended));
  }
  if (install && install.phase.status !== "passed") return judgeInstall(install);
  if (build.phase.status === "failed") {
    return failed(
      "BUILD_FAILED",
      `the build ended with ${ending(build)}${moduleHint(run, build)}`,
      excerpt(build),
    );
  }
  return judgeTests(run, demands, notice);
}

function judgeInstall(install: PhaseRun): Verdicts {
  const [unreachable] = install.phase.network?.unreachable ?? [];
  if (unreachable) {
    const { host, port, why } = unreachable;
    const reason = `the install ended with ${ending(install)}, and ${host}:${port} could not be reached: ${why}`;
    return error("REGISTRY_UNREACHABLE", reason, excerpt(install));
  }
  return failed("INSTALL_FAILED", `the install ended with ${ending(install)}`, excerpt(install));
}

function judgeTests(run: BuildtestRun, demands: Demands, notice: string | null): Verdicts {
  const { test, tests, unreadable } = run;
  if (unreadable) return failed(unreadable.code, unreadable.message, excerpt(test));
  const ran = tests.passed + tests.failed;
  const [problem] = tests.problems;
  if (tests.failed > 0) {
    const reason = `${tests.failed} of ${count(ran)} failed`;
    return failed("TESTS_FAILED", reason, firstFailure(test, tests));
  }
  if (problem) {
    const more = tests.problems.length > 1 ? ` (and ${tests.problems.length - 1} more such)` : "";
    const reason = `no test failed of ${count(ran)}, yet the report does not hold: ${problem}${more}`;
    return failed("TESTS_FAILED", reason, [problem, excerpt(test)].filter(Boolean).join("\n"));
  }
  if (test.phase.status === "failed") {
    const reason =
      tests.format === "none"
        ? `the test command ended with ${ending(test)}; it gave no report, so that alone decides`
        : `no test failed of ${count(ran)}, yet the test command ended with ${ending(test)}: something other than a test failed`;
    return failed("TESTS_FAILED", `${reason}${moduleHint(run, test)}`, excerpt(test));
  }
  if (demands.require_tests && ran === 0 && test.phase.status === "passed") {
    return failed("NO_TEST_RAN", `a test was required to run, and ${notice}`, null);
  }
  return { verdict: "passed", code: null, reason: passedReason(test, tests, notice), first_failure: null };
}

/** The failed test with its message; where its report has none, the lines of the log around its name. */
function firstFailure(test: PhaseRun, { tests }: BuildtestRun["tests"]): string | null {
  const first = tests.find((each) => each.status === "failed");
  if (!first) return excerpt(test);
  if (first.failure !== null) return `${first.name}\n${first.failure}`;
  const last_name = first.name.split(" > ").at(-1) ?? "";
  const lines = linesAround(stripAnsi(test.log.toString("utf8")), last_name) ?? excerpt(test);
  return [first.name, lines].filter(Boolean).join("\n");
}

function passedReason(test: PhaseRun, tests: BuildtestRun["tests"], notice: string | null): string {
  if (test.phase.status === "skipped") return "the build passed; there was no test command";
  const ran = tests.passed + tests.failed;
  return notice === null ? `${count(ran)} passed` : `the test command ended with exit code 0; ${notice}`;
}

function testNotice({ test, tests, unreadable }: BuildtestRun, { reports = [] }: Demands): string | null {
  if (!test.result || unreadable) return null;
  if (tests.format !== "none") {
    if (tests.passed + tests.failed > 0) return null;
    if (tests.problems.length > 0) return null;
    return tests.skipped > 0
      ? `no test ran: all ${tests.skipped} were skipped`
      : "no test ran: the report counts none";
  }
  // A report is there, and the problem says why it is not read.
  if (tests.problems.length > 0) return null;
  const unmatched =
    reports.length === 0 ? "" : `; the command wrote no file that matches ${reports.join(", ")}`;
  const advice = reportAdviceAfter(test.phase.command, stripAnsi(test.log.toString("utf8")));
  const how = advice ?? "write TAP or JUnit XML, or name the report's file with --report";
  return `no test is known to have run: no test report was found${unmatched}, so the exit code alone decided (${how})`;
}

const INSTALL_ADVICE = "fetch it in an install command (--install), the step that may have a network";
/** How resolvers, npm, pip, curl and git name a host that they could not reach. */
const HOST_IN_LOG =
  /(?:EAI_AGAIN|ENOTFOUND|resolve host(?:name)?:?|resolve|host=|https?:\/\/)[\s'"]*([a-z0-9-]+(?:\.[a-z0-9-]+)+)/i;
/** A package, not a path, that Node.js or Python did not find. */
const MODULE_IN_LOG =
  /(?:Cannot find (?:module|package) |No module named )['"]((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:\/[^'"]*)?['"]/;

/** What a step without a network wanted there, as far as its own output tells, and which step has one. */
function networkHint({ install }: BuildtestRun, ended: PhaseRun): string {
  if (ended.phase.network !== null || ended.phase.name === "install") return "";
  const [, host] = HOST_IN_LOG.exec(ended.log.toString("latin1")) ?? [];
  const asked = host === undefined ? "" : `; its output names ${host}`;
  const advice = install === null ? ": fetch dependencies in an install command (--install)" : "";
  return `. The network is off in the ${ended.phase.name} step${asked}${advice}`;
}

/** Where nothing was installed, a missing module is most likely a dependency. */
function moduleHint({ install }: BuildtestRun, { log }: PhaseRun): string {
  const [, name] = MODULE_IN_LOG.exec(log.toString("latin1")) ?? [];
  if (install !== null || name === undefined) return "";
  return `. The module \`${name}\` is missing: ${INSTALL_ADVICE}`;
}

function count(tests: number): string {
  return tests === 1 ? "1 test" : `${tests} tests`;
}

function ending({ phase }: PhaseRun): string {
  return phase.exit_code === null ? `signal ${phase.signal}` : `exit code ${phase.exit_code}`;
}

function excerpt(run: PhaseRun): string | null {
  return logExcerpt(stripAnsi(run.log.toString("utf8")));
}

function failed(code: ErrorCode, reason: string, first_failure: string | null): Verdicts {
  return { verdict: "failed", code, reason, first_failure };
}

function error(code: ErrorCode, reason: string, first_failure: string | null): Verdicts {
  return { verdict: "error", code, reason, first_failure };
}
