import { moveJob, postponeJob, readRun, silentJobs } from "#lib/agents/dlq/replay-job-store.ts";
import { sendReplayRun } from "#lib/agents/dlq/send-replay-run.ts";
import { sweepChangedQueues } from "#lib/agents/dlq/sweep-dead-letters.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { ReplayJobPorts } from "./ports.ts";

type SweepPorts = ReplayJobPorts & { log: Log };

/** Sweeps the dead-letter queues that changed. */
export async function sweepQueues(ports: SweepPorts): Promise<void> {
  const swept = await sweepChangedQueues(ports.services(), ports);
  for (const [service, { recorded, deleted, open }] of Object.entries(swept)) {
    if (recorded + deleted === 0) continue;
    const counts = { queue: service, recorded, deleted, open };
    ports.log.info("DEAD_LETTERS_SWEPT", `the dead-letter queue of ${service} was swept`, counts);
  }
}

const JOBS_MAX = 80;

/**
 * Sends the message of each running job again whose worker was silent for too long: it was lost, or never sent. A job
 * whose run was given up has failed. Returns how many messages were sent.
 */
export async function sweepSilentJobs(ports: SweepPorts): Promise<number> {
  let sent = 0;
  for (const { job, check_at } of await silentJobs(JOBS_MAX, ports)) {
    if (job.state !== "running") continue;
    const run = await readRun(job, ports);
    if (run?.status === "completed") {
      const { code, message } = run.outcome ?? {};
      const changes = {
        state: "failed" as const,
        because: code ?? "UNEXPECTED",
        says: message ?? "it has no outcome",
      };
      await moveJob(job, { ...changes, ended_at: instant(ports.runtime.now()) }, ports);
      continue;
    }
    if (run?.status === "running" && run.lease_expires_at > ports.runtime.now()) continue;
    if (!(await postponeJob({ job, check_at }, ports))) continue;
    await sendReplayRun(job, ports);
    sent += 1;
  }
  if (sent > 0)
    ports.log.info("REPLAYS_SWEPT", `${sent} replay jobs that stood still were sent again`, { sent });
  return sent;
}
