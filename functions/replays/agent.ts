import type { Agent } from "#lib/agents/agent/agent.ts";
import { REPLAYS } from "#lib/agents/dlq/replay-job-store.ts";
import { ReplaysInput, ReplaysOutput } from "#schemas/messages/replays.ts";
import { replayJobPorts } from "./dependencies.ts";
import { runJob } from "./run-job.ts";

/** Runs a job that replays or discards failures. */
export const replays: Agent<typeof ReplaysInput, typeof ReplaysOutput> = {
  name: REPLAYS,
  input: ReplaysInput,
  output: ReplaysOutput,
  detached: { sendAnew: async () => false },
  run: (input, context) => runJob(input, context, replayJobPorts()),
};
