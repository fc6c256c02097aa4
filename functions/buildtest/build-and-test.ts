import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { sandboxProfile } from "#lib/sandbox/sandbox-profile.ts";
import { withWorkspace } from "#lib/sandbox/with-workspace.ts";
import type { BuildtestInput, BuildtestOutput } from "#schemas/messages/buildtest.ts";
import { judge } from "./judge.ts";
import type { BuildtestPorts } from "./ports.ts";
import { runBuildAndTest } from "./run-build-and-test.ts";
import { writeReport } from "./write-report.ts";

/**
 * Builds and tests a source, with a diff applied first. The verdict is `failed` when the submitted
 * work is at fault, `error` when its surroundings are; the report is complete in every case.
 * Throws RejectedInput `PROFILE_UNKNOWN`, `COMMAND_MISSING`, `GIT_*`, `SOURCE_*`, `ARCHIVE_*`, `DIFF_*`.
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
      "give a build or a test command: without one nothing is proven",
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
    },
  };
}
