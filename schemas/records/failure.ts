import { z } from "zod";
import { ErrorCode, Instant, Sha256 } from "#schemas/primitives.ts";
import { Subject } from "#schemas/records/api-key.ts";

/**
 * Why a message went to its DLQ: pk `FAILURE#<tenant>`, sk its failure id, which the message in the
 * DLQ carries as attribute `failure_id`.
 */
export const FailureRecord = z.strictObject({
  message_id: z.string().min(1),
  tenant: z.string().describe("`unknown` when the message could not be read"),
  service: z.string(),
  task_id: z.string().optional(),
  step: z.string().optional(),
  round: z.int().optional(),
  trace_id: z.string().optional(),
  idempotency_key: Sha256.optional(),
  code: ErrorCode,
  message: z.string(),
  cause_chain: z.array(z.string()).max(10),
  fingerprint: Sha256.describe("groups failures with the same service, code and first cause"),
  attempts: z.int().min(0).describe("tries of the step; 0 when the message did not get that far"),
  receives: z.int().min(0).optional().describe("how often SQS had delivered the message"),
  first_at: Instant,
  last_at: Instant,
  function_name: z.string(),
  request_id: z.string(),
  policy_hash: z.string(),
  replay_count: z.int().min(0).optional().describe("how often the step had been replayed before it"),
  sent_at: Instant.optional().describe("it went to the DLQ; absent again once a replay took it out"),
  replayed_at: Instant.optional(),
  resolved_at: Instant.optional().describe("the step has ended well since, or no longer needs to"),
  discarded_at: Instant.optional().describe("an operator took the message out of the DLQ for good"),
  discarded_because: z.string().max(500).optional().describe("what the operator said why"),
  settled_at: Instant.optional().describe(
    "it was replayed, resolved or discarded for good; its message may be deleted from the DLQ",
  ),
  replayed_as: z.string().optional().describe("message_id of the message that was sent for it"),
  settled_by: z.string().optional().describe("the replay job that settled it"),
  edit: z
    .strictObject({ at: Instant, by: Subject, why: z.string().max(500) })
    .optional()
    .describe("it was replayed with another payload, which the step's record keeps: when, by whom, why"),
  recorded_at: Instant.optional().describe("when it was recorded, where that was not when it failed last"),
  permanently_failed_at: Instant.optional().describe("written by an earlier version; means nothing any more"),
  listed: z
    .literal(true)
    .optional()
    .describe("it is in the lists of open and settled failures; absent in old records"),
  native: z
    .boolean()
    .optional()
    .describe("SQS moved the message to the DLQ; the record was made when the queue was read"),
  expires_at: z.int().optional().describe("Unix time in s after which the record is gone (DynamoDB TTL)"),
  body: z.string().max(250_000).describe("the message as received, cut at 250,000 bytes"),
});
export type FailureRecord = z.infer<typeof FailureRecord>;
