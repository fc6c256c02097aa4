import { z } from "zod";
import {
  BlobRef,
  Instant,
  Round,
  Sha256,
  SpanId,
  StepName,
  TaskId,
  Tenant,
  TraceId,
} from "#schemas/primitives.ts";

/**
 * What every SQS message body is. Labels (`service, role, shard, tenant`) route, group and
 * measure; `idempotency_key` and `source_hash` make its effect happen once.
 */
export const Envelope = z
  .strictObject({
    schema_version: z.literal(1),
    message_id: z.uuid(),
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: SpanId.optional(),
    traceparent: z
      .string()
      .regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
      .describe("W3C traceparent"),
    tracestate: z.string().max(512).describe("W3C tracestate of the request, handed on unchanged").optional(),
    service: z.string().min(1).max(64).describe("the agent this message is for"),
    role: z.string().min(1).max(64),
    shard: z.string().min(1).max(16),
    tenant: Tenant,
    task_id: TaskId,
    step: StepName,
    round: Round,
    attempt: z.int().min(0).describe("how often the step had been dispatched before"),
    idempotency_key: Sha256.describe("from tenant, task, step, round and source_hash"),
    source_hash: Sha256.describe("of the canonical JSON (RFC 8785) of what decides the result"),
    issued_at: Instant,
    deadline_at: Instant,
    replay_of: z.uuid().describe("message_id of the message this one replays").optional(),
    payload: z.unknown().optional(),
    payload_ref: BlobRef.describe("claim check: the payload is in S3").optional(),
  })
  .refine((envelope) => envelope.traceparent.includes(`-${envelope.trace_id}-${envelope.span_id}-`), {
    message: "traceparent does not match trace_id and span_id",
    path: ["traceparent"],
  });
export type Envelope = z.infer<typeof Envelope>;

/** Payload of a message to the orchestrator: "look at this task"; the ledger says what is next. */
export const AdvancePayload = z.strictObject({
  reason: z.enum(["accepted", "step_ended", "swept", "cancel_requested", "replayed"]),
});
export type AdvancePayload = z.infer<typeof AdvancePayload>;
