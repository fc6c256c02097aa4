import { z } from "zod";

/** `configs/replays.json`: limits of replays of dead letters. */
export const ReplaysConfig = z.strictObject({
  $schema: z.string(),
  replays_per_message_max: z
    .int()
    .min(1)
    .max(100)
    .describe("replays of one step before its failure counts as permanently failed and is replayed no more"),
  approval_messages_max: z
    .int()
    .min(0)
    .max(10_000)
    .describe("failures that one operator may discard at once; more need the approval of a second one"),
  await_seconds_max: z
    .int()
    .min(0)
    .max(3600)
    .describe("seconds that a replay job waits, after its last message, for the work it sent to end"),
});
export type ReplaysConfig = z.infer<typeof ReplaysConfig>;
