import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { limitReason, type PhaseRun } from "#lib/sandbox/run-phase.ts";
import type { Verdict } from "#schemas/primitives.ts";
import { logExcerpt } from "./log-excerpt.ts";
import type { BuildtestRun } from "./run-build-and-test.ts";

export interface Judgement {
  verdict: Verdict;
  code: ErrorCode | null;
  /** One sentence for a person. */
  reason: string;
  first_failure: string | null;
}

/**
 * The verdict of a run. `passed` needs both an exit code of 0 and no failed test among the parsed results; otherwise
 * the verdict is `failed`. `error` means that the submitted work is not at fault: there is no sandbox, a program is
 * missing from the sandbox (confirmed by a look-up), or a package registry could not be reached.
 */
export function judge(run: BuildtestRun): Judgement {
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

function judgeTests(run: BuildtestRun): Judgement {
  const { test, tests, unreadable } = run;
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
        ? `the test command ended with ${ending(test)}; its output is in no known test format, so the exit code alone decides`
        : `no test failed of ${count(ran)}, yet the test command ended with ${ending(test)}: something other than a test failed`;
    return failed("TESTS_FAILED", `${reason}${moduleHint(run, test)}`, excerpt(test));
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
    return "the test command ended with exit code 0; its output is in no known test format, so the exit code alone decides";
  }
  return `${count(ran)} passed`;
}

const INSTALL_ADVICE = "fetch it in an install command (--install), the only step that may have a network";
/** Matches a host that resolvers, npm, pip, curl or git could not reach, in their own error messages. */
const HOST_IN_LOG =
  /(?:EAI_AGAIN|ENOTFOUND|resolve host(?:name)?:?|resolve|host=|https?:\/\/)[\s'"]*([a-z0-9-]+(?:\.[a-z0-9-]+)+)/i;
/** Matches a package (not a path) that Node.js or Python did not find. */
const MODULE_IN_LOG =
  /(?:Cannot find (?:module|package) |No module named )['"]((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:\/[^'"]*)?['"]/;

/** A hint for a step without a network: which host its output names, and that an install command may have a network. */
function networkHint({ install }: BuildtestRun, ended: PhaseRun): string {
  if (ended.phase.network !== null || ended.phase.name === "install") return "";
  const [, host] = HOST_IN_LOG.exec(ended.log.toString("latin1")) ?? [];
  const asked = host === undefined ? "" : `; its output names ${host}`;
  const advice = install === null ? ": fetch dependencies in an install command (--install)" : "";
  return `. The network is off in the ${ended.phase.name} step${asked}${advice}`;
}

/** A hint for a missing module when there was no install command: it is most likely a dependency. */
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

function failed(code: ErrorCode, reason: string, first_failure: string | null): Judgement {
  return { verdict: "failed", code, reason, first_failure };
}

function error(code: ErrorCode, reason: string, first_failure: string | null): Judgement {
  return { verdict: "error", code, reason, first_failure };
}
