import { z } from "zod";
import { FailureFilter, FailureName, ReplayExpectation, Why } from "#schemas/http/dead-letters.ts";
import { ErrorCode, Instant, TaskId } from "#schemas/primitives.ts";
import { Subject } from "#schemas/records/api-key.ts";

/** Name of a replay job. */
export const ReplayId = z
  .string()
  .regex(/^replay_[0-9a-hjkmnp-tv-z]{26}$/)
  .describe("id of a replay job");

const none = z.never().optional();
/** A selection has one of the first three. */
const selectedBy = {
  failures: none,
  filter: none,
  all: none,
  limit: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe("failures at most, the earliest first; 10,000 when absent"),
};

/** Which open failures a job takes: those named, those that match the filter, or, with `all`, every one. */
export const ReplaySelection = z.union(
  [
    z.strictObject({
      ...selectedBy,
      failures: z.array(FailureName).min(1).max(500).describe("these and no others"),
    }),
    z.strictObject({
      ...selectedBy,
      filter: FailureFilter.refine((filter) => Object.keys(filter).length > 0, {
        message: "must name at least one field; say all for every failure",
      }).meta({ minProperties: 1, description: "all that match; a whole queue is `{ queue }`" }),
    }),
    z.strictObject({ ...selectedBy, all: z.literal(true).describe("every open failure that you may see") }),
  ],
  { error: "must have exactly one of failures, filter and all" },
);
export type ReplaySelection = z.infer<typeof ReplaySelection>;

/** What a job does with each of its failures. */
export const ReplayAction = z
  .enum(["replay", "edit", "discard"])
  .describe(
    "`replay`: put the messages back to work; `edit`: the same with a changed payload; `discard`: give them up, needs scope admin",
  );

const PayloadPatch = z
  .record(z.string(), z.unknown())
  .refine((patch) => Object.keys(patch).length > 0, { message: "must change at least one field" })
  .meta({ minProperties: 1 })
  .describe(
    "JSON merge patch (RFC 7396) of each message's payload: fields with a value are set, fields with null are taken away; for the action edit",
  );

/** Body of `POST /api/dlq/replays`. */
export const ReplayRequest = z
  .strictObject({
    action: ReplayAction.default("replay"),
    selection: ReplaySelection,
    patch: PayloadPatch.optional(),
    dry_run: z.boolean().default(false).describe("only say what the job would do; creates none"),
    why: Why.optional().describe("why, for the audit trail; an edit and a discard must say it"),
    method: z
      .enum(["each", "move"])
      .default("each")
      .describe(
        "`move`: SQS moves a whole queue (StartMessageMoveTask); selection is a filter of one queue and nothing else, for operator tenants; the engine must have the action",
      ),
    rate_per_second: z.number().min(0.1).max(100).default(10).describe("messages a second at most"),
    concurrency: z.int().min(1).max(20).default(5).describe("messages in work at the same time at most"),
    stop_on_failure_share: z
      .number()
      .min(0.01)
      .max(1)
      .nullable()
      .default(0.5)
      .describe("pause when at least this share of what was sent and has ended failed again; null: never"),
    stop_on_open_circuit: z
      .boolean()
      .default(true)
      .describe("pause when a circuit of an agent that it sends to is open"),
  })
  .refine(({ action, patch }) => (action === "edit") === (patch !== undefined), {
    message: "an edit, and nothing else, has a patch",
    path: ["patch"],
  })
  .meta({
    if: { properties: { action: { const: "edit" } }, required: ["action"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ["patch"] },
    else: { properties: { patch: false } },
  });
export type ReplayRequest = z.infer<typeof ReplayRequest>;

/** Answer of a dry run. */
export const ReplayPreview = z.strictObject({
  action: ReplayAction,
  matched: z.int().min(0).describe("open failures that the job would take"),
  truncated: z.boolean().describe("there are more than `limit`"),
  needs_approval: z.boolean().describe("a second operator must approve the job"),
  by_expectation: z.record(z.string(), z.int().min(0)).describe("how many of each expectation"),
  messages: z
    .array(
      z.strictObject({
        failure: FailureName,
        queue: z.string(),
        code: ErrorCode,
        expectation: ReplayExpectation,
        reason: ErrorCode,
        says: z.string(),
        diff: z
          .string()
          .nullable()
          .describe("of an edit: unified diff of the payload, cut at 4,000 characters; of the first 50"),
      }),
    )
    .max(500)
    .describe("the first 500"),
  as_of: Instant,
});
export type ReplayPreview = z.infer<typeof ReplayPreview>;

export const ReplayState = z
  .enum(["awaiting_approval", "running", "paused", "completed", "aborted", "failed"])
  .describe(
    "`paused`: resume continues it; `failed`: the job itself cannot go on, its message is in a dead-letter queue",
  );
export type ReplayState = z.infer<typeof ReplayState>;

/** What became of one message of a job. */
export const ReplayOutcome = z
  .enum([
    "pending",
    "sent",
    "succeeded",
    "failed_again",
    "removed",
    "kept",
    "permanently_failed",
    "discarded",
    "not_found",
  ])
  .describe(
    "`pending`: not handled yet; `sent`: its work has not ended yet; `removed`: it needed no replay any more; `kept`: it cannot be replayed now, reason says why; `not_found`: it was settled before",
  );
export type ReplayOutcome = z.infer<typeof ReplayOutcome>;

/** Counts of a job's messages by outcome. They add up to `total`. */
export const ReplayCounts = z.strictObject({
  total: z.int().min(0),
  pending: z.int().min(0),
  sent: z.int().min(0),
  succeeded: z.int().min(0),
  failed_again: z.int().min(0),
  removed: z.int().min(0),
  kept: z.int().min(0),
  permanently_failed: z.int().min(0),
  discarded: z.int().min(0),
  not_found: z.int().min(0),
});
export type ReplayCounts = z.infer<typeof ReplayCounts>;

/** A replay job. */
export const ReplayView = z.strictObject({
  replay_id: ReplayId,
  tenant: z.string(),
  action: ReplayAction,
  method: z.enum(["each", "move"]),
  state: ReplayState,
  because: ErrorCode.nullable().describe("why it is paused, aborted or failed"),
  says: z.string().nullable(),
  selection: ReplaySelection,
  patch: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe("of an edit; values that look like secrets are replaced by `[redacted]`"),
  why: z.string().nullable(),
  matched: z
    .int()
    .min(0)
    .nullable()
    .describe("of an edit or a discard: open failures that it held when approval was decided on"),
  rate_per_second: z.number(),
  concurrency: z.int(),
  stop_on_failure_share: z.number().nullable(),
  stop_on_open_circuit: z.boolean(),
  truncated: z.boolean().describe("the selection held more than `limit` when it began"),
  counts: ReplayCounts,
  created_at: Instant,
  created_by: Subject,
  approved_by: Subject.nullable(),
  approve_before: Instant.nullable().describe("when the wait for approval ends; null unless it waits"),
  updated_at: Instant,
  ended_at: Instant.nullable(),
});
export type ReplayView = z.infer<typeof ReplayView>;

/** Answer of `GET /api/dlq/replays`, newest first. */
export const ReplayList = z.strictObject({
  replays: z.array(ReplayView),
  next_cursor: z.string().nullable(),
});
export type ReplayList = z.infer<typeof ReplayList>;

/** What one job did with one message. */
export const ReplayResultView = z.strictObject({
  failure: FailureName,
  queue: z.string(),
  outcome: ReplayOutcome,
  reason: ErrorCode.nullable(),
  says: z.string().nullable(),
  task_id: TaskId.nullable(),
  message_id: z.string().nullable().describe("of the message that was sent"),
  at: Instant.nullable(),
});
export type ReplayResultView = z.infer<typeof ReplayResultView>;

/** Answer of `GET /api/dlq/replays/{id}/results`. */
export const ReplayResultList = z.strictObject({
  results: z.array(ReplayResultView),
  next_cursor: z.string().nullable(),
});
export type ReplayResultList = z.infer<typeof ReplayResultList>;
