import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { BuildTestReport, BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { Judgement } from "./judge.ts";
import type { BuildtestRun } from "./run-build-and-test.ts";

type ReportFacts = Pick<
  BuildTestReport,
  "source_sha256" | "diff_sha256" | "profile" | "profile_hash" | "duration_ms"
>;

/** Writes the artifacts of a run, whatever its verdict, and gives the report as a blob. */
export async function writeReport(
  { artifacts, blobs }: AgentContext,
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
  await artifacts.json("build-test/report.json", "artifact.build_test_report", BuildTestReport, report);
  await artifacts.json("build-test/summary.json", "artifact.build_test_summary", BuildTestSummary, summary);
  return blobs.write(`${JSON.stringify(BuildTestReport.parse(report), null, 2)}\n`, "application/json");
}
