import { z } from "zod";
import { ReplayId } from "#schemas/http/replays.ts";

/** What the agent `replays` takes: a run of a job. The job's record says the rest. */
export const ReplaysInput = z.strictObject({
  replay_id: ReplayId,
  run: z.int().min(1).describe("which run of the job: it begins with 1 and grows when the job is resumed"),
});
export type ReplaysInput = z.infer<typeof ReplaysInput>;

export const ReplaysOutput = z.strictObject({
  state: z.string().describe("of the job when the run ended"),
});
