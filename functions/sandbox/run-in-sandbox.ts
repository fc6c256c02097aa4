import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { limitReason, type PhaseRun, runPhase } from "#lib/sandbox/run-phase.ts";
import type { SandboxPorts } from "#lib/sandbox/sandbox-ports.ts";
import { sandboxProfile } from "#lib/sandbox/sandbox-profile.ts";
import { collectFiles } from "#lib/sandbox/volume/collect-files.ts";
import { checkSourceFits, withWorkspace } from "#lib/sandbox/with-workspace.ts";
import { RunReport } from "#schemas/artifacts/run-report.ts";
import type { SandboxInput, SandboxOutput } from "#schemas/messages/sandbox.ts";
import type { Verdict } from "#schemas/primitives.ts";

/** Files that a command leaves in `~/artifacts` become artifacts of the task. */
const ARTIFACTS = ["home", "artifacts"];
const RUN = { name: "run", log: "run/output.log" } as const;

/**
 * Runs one command in a source tree. `failed` when it exits with anything but 0 or exceeds a limit,
 * `error` when no sandbox can run it; the report is complete in every case.
 * Throws RejectedInput `PROFILE_UNKNOWN`, `GIT_*`, `SOURCE_*`, `ARCHIVE_*`, `SANDBOX_DISK`, `SANDBOX_INODES`.
 */
export async function runInSandbox(
  { source, command, profile: profile_name }: SandboxInput,
  context: AgentContext,
  ports: SandboxPorts,
): Promise<AgentResult<SandboxOutput>> {
  const limits = ports.sandboxLimits();
  const profile = sandboxProfile(profile_name, limits.value);
  const { blob } = await ports.resolveSource(source);
  const run = await withWorkspace({ profile, backend: ports.backend }, async (workspace) => {
    await ports.unpackSource(blob, workspace.tree);
    await checkSourceFits(workspace, profile);
    const order = { ...workspace, command, profile, signal: context.signal };
    const ran = await runPhase(RUN, order, context);
    return { ...ran, left: await collectFiles(workspace.scratch, ARTIFACTS) };
  });
  const judgement = judge(run);
  context.log.info("RUN_JUDGED", judgement.reason, {
    ...judgement,
    policy_hash: limits.hash,
    limit: run.phase.limit,
    usage: run.phase.usage,
  });
  await context.artifacts.text(RUN.log, run.log, "text/plain; charset=utf-8");
  for (const { name, bytes } of run.left.files) {
    await context.artifacts.text(`run/files/${name}`, bytes, "application/octet-stream");
  }
  await context.artifacts.json("run/report.json", "artifact.run_report", RunReport, {
    ...judgement,
    isolation: run.result?.isolation ?? "reduced",
    isolation_backend: run.result?.backend ?? "process",
    not_enforced: run.result?.not_enforced ?? [],
    profile: profile_name,
    profile_hash: limits.hash,
    phase: run.phase,
    files: run.left.files.map(({ name, bytes }) => ({ path: `run/files/${name}`, bytes: bytes.length })),
    files_left_out: run.left.left_out,
  });
  return {
    verdict: judgement.verdict,
    ...(judgement.code && { code: judgement.code }),
    message: judgement.reason,
    output: { exit_code: run.phase.exit_code, duration_ms: run.phase.usage.wall_ms },
  };
}

function judge({ phase, unavailable }: PhaseRun): {
  verdict: Verdict;
  code: ErrorCode | null;
  reason: string;
} {
  if (unavailable) return { verdict: "error", code: unavailable.code, reason: unavailable.message };
  if (phase.limit) {
    return { verdict: "failed", code: phase.limit.code, reason: limitReason("the command", phase.limit) };
  }
  const ending = phase.exit_code === null ? `signal ${phase.signal}` : `exit code ${phase.exit_code}`;
  const reason = `the command ended with ${ending}`;
  return phase.status === "passed"
    ? { verdict: "passed", code: null, reason }
    : { verdict: "failed", code: "COMMAND_FAILED", reason };
}
