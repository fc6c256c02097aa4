import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { SandboxPorts } from "#lib/sandbox/sandbox-ports.ts";
import { sandboxProfile } from "#lib/sandbox/sandbox-profile.ts";
import { checkSourceFits, withWorkspace } from "#lib/sandbox/with-workspace.ts";
import { BuildTestReport, BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import {
  type BuildtestInput,
  type BuildtestOutput,
  FAILED_TESTS_NAMED,
} from "#schemas/messages/buildtest.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import { type Judgement, judge } from "./judge.ts";
import { type BuildtestRun, runBuildAndTest } from "./run-build-and-test.ts";

/** The ports of building and testing. */
export interface BuildtestPorts extends SandboxPorts {
  /** Work on submitted text and on test reports, in a child process with limits. */
  code: Pick<ConfinedCode, "applyDiff" | "reportFileVersions" | "readTestResults">;
}

/**
 * Builds and tests a source, after applying the diff if there is one. The verdict is `failed` when the submitted
 * work is at fault and `error` when its environment is; the report is complete in every case.
 * Throws RejectedInput `PROFILE_UNKNOWN`, `COMMAND_MISSING`, `GIT_*`, `SOURCE_*`, `ARCHIVE_*`, `DIFF_*`,
 * `SANDBOX_DISK`, `SANDBOX_INODES`.
 */
export async function buildAndTest(
  input: BuildtestInput,
  context: AgentContext,
  ports: BuildtestPorts,
): Promise<AgentResult<BuildtestOutput>> {
  const started_ms = context.runtime.now();
  const limits = ports.sandboxLimits();
  const profile = sandboxProfile(input.profile, limits.value);
  if (!input.build && !input.test) {
    throw new RejectedInput(
      "COMMAND_MISSING",
      "give a build command or a test command: without either there is nothing to run",
    );
  }
  const source = await ports.resolveSource(input.source);
  const run = await withWorkspace({ profile, backend: ports.backend }, async (workspace) => {
    await ports.unpackSource(source.blob, workspace.tree);
    const { diff } = input;
    if (diff) {
      await context.span("apply diff", {}, async () =>
        ports.code.applyDiff(workspace.tree, await context.blobs.read(diff)),
      );
    }
    await checkSourceFits(workspace, profile);
    return runBuildAndTest(
      input,
      { ...workspace, profile, signal: context.signal },
      { span: context.span, code: ports.code },
    );
  });
  const judgement = judge(run, input);
  context.log.info("BUILDTEST_JUDGED", judgement.reason, {
    verdict: judgement.verdict,
    error_code: judgement.code,
    test_format: run.tests.format,
    policy_hash: limits.hash,
    limit: run.test.phase.limit ?? run.build.phase.limit ?? run.install?.phase.limit ?? null,
    usage: [run.install, run.build, run.test].flatMap((each) => each?.phase.usage ?? []),
    network_denied: run.install?.phase.network?.denied ?? [],
  });
  const report = await writeReport(context, run, judgement, {
    source_sha256: source.blob.sha256,
    diff_sha256: input.diff?.sha256 ?? null,
    profile: input.profile,
    profile_hash: limits.hash,
    duration_ms: Math.max(0, context.runtime.now() - started_ms),
  });
  return {
    verdict: judgement.verdict,
    ...(judgement.code && { code: judgement.code }),
    message: judgement.reason,
    output: {
      source,
      verdict: judgement.verdict,
      report,
      tests_passed: run.tests.passed,
      tests_failed: run.tests.failed,
      tests_skipped: run.tests.skipped,
      ...namedFailures(run),
      ...(judgement.verdict === "failed" && { failure: failureFingerprint(judgement, run) }),
    },
  };
}

const NAME_CHARACTERS_MAX = 200;

function namedFailures({ tests }: BuildtestRun): Pick<BuildtestOutput, "failed_tests"> {
  const names = tests.tests
    .filter(({ status }) => status === "failed")
    .map(({ name }) => name.slice(0, NAME_CHARACTERS_MAX).toWellFormed());
  const failed_tests = [...new Set(names)].slice(0, FAILED_TESTS_NAMED);
  return failed_tests.length > 0 ? { failed_tests } : {};
}

/** Two runs with the same fingerprint failed the same way. Numbers do not count: they are often times. */
function failureFingerprint({ code, reason }: Judgement, { tests }: BuildtestRun): string {
  const failed = tests.tests.filter(({ status }) => status === "failed");
  const names = failed.map(({ file, name }) => `${file ?? ""}\n${name}`).sort();
  const what = names.length > 0 ? names.join("\n") : reason.replace(/\d+/g, "#");
  return sha256(Buffer.from(`${code}\n${what}`));
}

type ReportFacts = Pick<
  BuildTestReport,
  "source_sha256" | "diff_sha256" | "profile" | "profile_hash" | "duration_ms"
>;

/** Writes the artifacts of a run, whatever its verdict. Returns the report as a blob. */
async function writeReport(
  { artifacts }: AgentContext,
  { install, build, test, tests }: BuildtestRun,
  judgement: Judgement,
  facts: ReportFacts,
): Promise<BlobRef> {
  const phases = [...(install ? [install] : []), build, test];
  const ran = phases.findLast(({ result }) => result)?.result;
  const report: BuildTestReport = {
    ...judgement,
    ...facts,
    isolation: ran?.isolation ?? "reduced",
    isolation_backend: ran?.backend ?? "process",
    not_enforced: ran?.not_enforced ?? [],
    phases: phases.map(({ phase }) => phase),
    test_format: tests.format,
    test_reports: tests.reports,
    test_problems: tests.problems.slice(0, 50).map((problem) => problem.slice(0, 1000)),
    tests: tests.tests,
    tests_passed: tests.passed,
    tests_failed: tests.failed,
    tests_skipped: tests.skipped,
  };
  const summary = BuildTestSummary.strip().parse(report);
  for (const { phase, log } of phases) {
    if (phase.log !== null) await artifacts.text(phase.log, log, "text/plain; charset=utf-8");
  }
  await artifacts.json("build-test/summary.json", "artifact.build_test_summary", BuildTestSummary, summary);
  return artifacts.json("build-test/report.json", "artifact.build_test_report", BuildTestReport, report);
}
