import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { runStorage } from "#lib/agents/dlq/replay-job-store.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { replays } from "../../../functions/replays/agent.ts";
import { runJob } from "../../../functions/replays/run-job.ts";
import { sweepQueues, sweepSilentJobs } from "../../../functions/replays/sweep-queues.ts";
import type { World } from "../engine/world.ts";
import type { SimulatedPlatform } from "./simulated-platform.ts";

/** The real agent that runs replay jobs, with the claims on runs. */
export function replaysHandler(platform: SimulatedPlatform) {
  const { table, table_name, runtime } = platform;
  const agent: typeof replays = { ...replays, run: (input, context) => runJob(input, context, platform) };
  const claims = stepClaims({ table, table_name, runtime }, runStorage);
  return defineAgent(agent, () => ({ ...platform, claims }));
}

/** What the scheduled function of replays does. */
export async function sweepReplays({ mutation }: World, platform: SimulatedPlatform): Promise<void> {
  const ports = { ...platform, log: platform.logOf("dlq-sweeper") };
  if (mutation.job_sweeper !== "off") await sweepSilentJobs(ports);
  await sweepQueues(ports);
}
