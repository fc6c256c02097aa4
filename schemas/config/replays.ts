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
    .describe(
      "failures that one operator may discard or edit by one job; more need the approval of a second one",
    ),
  approval_seconds_max: z
    .int()
    .min(1)
    .max(2_592_000)
    .default(86_400)
    .describe("seconds after which a job that waits for approval cannot be approved any more"),
  await_seconds_max: z
    .int()
    .min(0)
    .max(3600)
    .describe("seconds that a replay job waits, after its last message, for the work it sent to end"),
});
export type ReplaysConfig = z.infer<typeof ReplaysConfig>;
