import { idempotencyKey, sourceHash } from "#lib/platform/hash/source-hash.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { childSpan, formatTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

export interface EnvelopeParts {
  service: string;
  role: string;
  shard: string;
  tenant: string;
  task_id: string;
  step: string;
  round: number;
  attempt: number;
  payload: unknown;
  deadline_at: string;
  parent: TraceContext;
  /** message_id of the message this one replays. */
  replay_of?: string | undefined;
}

/** The hash of what decides a step's result: the agent and its input. */
export function stepSourceHash(service: string, payload: unknown): string {
  return sourceHash({ service, payload });
}

/** A message one span below `parent`, its key and hash computed from what it carries. */
export function makeEnvelope(parts: EnvelopeParts, runtime: Runtime): Envelope {
  const { parent, ...fields } = parts;
  const span = childSpan(parent, runtime);
  const source_hash = stepSourceHash(parts.service, parts.payload);
  return {
    schema_version: 1,
    message_id: runtime.uuid(),
    trace_id: span.trace_id,
    span_id: span.span_id,
    parent_span_id: parent.span_id,
    traceparent: formatTraceparent(span),
    ...(span.tracestate && { tracestate: span.tracestate }),
    ...fields,
    idempotency_key: idempotencyKey({ ...parts, source_hash }),
    source_hash,
    issued_at: instant(runtime.now()),
  };
}
