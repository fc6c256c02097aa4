import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { limitReason } from "#lib/sandbox/limit-reason.ts";
import { logExcerpt } from "#lib/sandbox/log-excerpt.ts";
import type { PhaseRun } from "#lib/sandbox/run-phase.ts";
import type { Verdict } from "#schemas/primitives.ts";
import type { BuildtestRun } from "./run-build-and-test.ts";

export interface Judgement {
  verdict: Verdict;
  code: ErrorCode | null;
  /** One sentence for a person. */
  reason: string;
  first_failure: string | null;
}

/**
 * The verdict of a run. `passed` needs both the exit code and the parsed tests to say so: when they
 * disagree it is `failed`. `error` is kept for what the submitted work cannot be blamed for: no
 * sandbox, a program that was looked up and is not there, or a registry that gave no connection.
 */
export function judge(run: BuildtestRun): Judgement {
  const { install, build, test, missing_program } = run;
  const unavailable = install?.unavailable ?? build.unavailable ?? test.unavailable;
  if (unavailable) return error(unavailable.code, unavailable.message, null);
  const ended = [test, build].find(({ result }) => result) ?? install ?? build;
  if (missing_program) {
    const reason = `the ${ended.phase.name} needs \`${missing_program}\`, which is not in the sandbox: install it in the build command, or put it on the profile's PATH`;
    return error("BUILD_ENVIRONMENT_BROKEN", reason, excerpt(ended));
  }
  const { limit } = ended.phase;
  // A test that failed says more than that something looked for the network.
  const told_by_tests = limit?.code === "SANDBOX_NETWORK_DENIED" && run.tests.failed > 0;
  if (limit && !told_by_tests) {
    return failed(limit.code, limitReason(`the ${ended.phase.name}`, limit), excerpt(ended));
  }
  if (install && install.phase.status !== "passed") return judgeInstall(install);
  if (build.phase.status === "failed") {
    return failed("BUILD_FAILED", `the build ended with ${ending(build)}`, excerpt(build));
  }
  return judgeTests(run);
}

function judgeInstall(install: PhaseRun): Judgement {
  const [unreachable] = install.phase.network?.unreachable ?? [];
  if (unreachable) {
    const { host, port, why } = unreachable;
    const reason = `the install ended with ${ending(install)}, and ${host}:${port} could not be reached: ${why}`;
    return error("REGISTRY_UNREACHABLE", reason, excerpt(install));
  }
  return failed("INSTALL_FAILED", `the install ended with ${ending(install)}`, excerpt(install));
}

function judgeTests({ test, tests, unreadable }: BuildtestRun): Judgement {
  if (unreadable) return failed(unreadable.code, unreadable.message, excerpt(test));
  const ran = tests.passed + tests.failed;
  if (tests.failed > 0) {
    const first = tests.tests.find((each) => each.status === "failed");
    const reason = `${tests.failed} of ${count(ran)} failed`;
    return failed("TESTS_FAILED", reason, [first?.name, first?.failure].filter(Boolean).join("\n"));
  }
  if (test.phase.status === "failed") {
    const reason =
      tests.format === "none"
        ? `the test command ended with ${ending(test)}; its output is in no format we read, so that alone decides`
        : `no test failed of ${count(ran)}, yet the test command ended with ${ending(test)}: something beside the tests failed`;
    return failed("TESTS_FAILED", reason, excerpt(test));
  }
  return {
    verdict: "passed",
    code: null,
    reason: passedReason(test, tests.format, ran),
    first_failure: null,
  };
}

function passedReason(test: PhaseRun, format: string, ran: number): string {
  if (test.phase.status === "skipped") return "the build passed; there was no test command";
  if (format === "none") {
    return "the test command ended with exit code 0; its output is in no format we read, so that alone decides";
  }
  return `${count(ran)} passed`;
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

function failed(code: ErrorCode, reason: string, first_failure: string | null): Judgement {
  return { verdict: "failed", code, reason, first_failure };
}

function error(code: ErrorCode, reason: string, first_failure: string | null): Judgement {
  return { verdict: "error", code, reason, first_failure };
}
