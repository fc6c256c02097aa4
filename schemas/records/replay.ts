import { z } from "zod";
import {
  ReplayAction,
  ReplayCounts,
  ReplayId,
  ReplayOutcome,
  ReplaySelection,
  ReplayState,
} from "#schemas/http/replays.ts";
import { ErrorCode, Instant, Round, Tenant } from "#schemas/primitives.ts";
import { Subject } from "#schemas/records/api-key.ts";

/** A replay job: pk `REPLAY#<tenant>#<replay_id>`, sk `JOB`. */
export const ReplayJobRecord = z.strictObject({
  replay_id: ReplayId,
  tenant: Tenant.describe("the tenant whose operator created it"),
  all_tenants: z.boolean().describe("its operator may act on the failures of every tenant"),
  action: ReplayAction,
  method: z.enum(["each", "move"]),
  selection: ReplaySelection,
  patch: z
    .string()
    .optional()
    .describe("of an edit: merge patch of each payload, as JSON, for DynamoDB takes not every number of it"),
  why: z.string().optional(),
  rate_per_second: z.number(),
  concurrency: z.int(),
  stop_on_failure_share: z.number().nullable(),
  stop_on_open_circuit: z.boolean(),
  state: ReplayState,
  because: ErrorCode.optional(),
  says: z.string().optional(),
  run: z.int().min(1).describe("grows when it is resumed; only the worker of this run moves the job"),
  dispatch_count: z.int().min(0).describe("how often the message of this run was sent again by the sweeper"),
  planned_at: Instant.optional().describe("when its failures were written down; absent before"),
  truncated: z.boolean(),
  counts: ReplayCounts,
  request_hash: z.string().describe("hash of the request that created it"),
  traceparent: z.string(),
  created_at: Instant,
  created_by: Subject,
  matched: z.int().min(0).optional().describe("open failures that it may change without a further approval"),
  approval_asked_at: Instant.optional().describe("since when it waits for approval, or waited last"),
  approved_by: Subject.optional(),
  updated_at: Instant,
  ended_at: Instant.optional(),
  expires_at: z.int().describe("Unix time in s after which the record is gone (DynamoDB TTL)"),
});
export type ReplayJobRecord = z.infer<typeof ReplayJobRecord>;

/** One failure of a job: pk `REPLAY#<tenant>#<replay_id>`, sk `RESULT#<order>`. */
export const ReplayResultRecord = z.strictObject({
  order: z
    .string()
    .regex(/^\d{6}$/)
    .describe("its place in the job"),
  failure_tenant: z.string(),
  failure_id: z.string(),
  service: z.string(),
  outcome: ReplayOutcome,
  reason: ErrorCode.optional(),
  says: z.string().max(2000).optional(),
  task_id: z.string().optional(),
  step: z.string().optional(),
  round: Round.optional(),
  replay_count: z.int().optional().describe("replays of the step with this one; while its end is awaited"),
  message_id: z.string().optional().describe("of the message that was sent"),
  at: Instant.optional(),
  expires_at: z.int().describe("Unix time in s after which the record is gone (DynamoDB TTL)"),
});
export type ReplayResultRecord = z.infer<typeof ReplayResultRecord>;
