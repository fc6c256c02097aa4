import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { idempotencyKey, sourceHash } from "#lib/platform/hash/source-hash.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { childSpan, formatTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import { Envelope } from "#schemas/messages/envelope.ts";

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

/** Hash of everything that determines a step's result: the agent and its input. */
export function stepSourceHash(service: string, payload: unknown): string {
  return sourceHash({ service, payload });
}

/** Makes a message in a child span of `parent`. Computes its idempotency key and source hash. */
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

/** A message with another payload, and the identity that follows from it. */
export function editedEnvelope({ payload_ref: _, ...original }: Envelope, payload: unknown): Envelope {
  const source_hash = stepSourceHash(original.service, payload);
  return { ...original, payload, source_hash, idempotency_key: idempotencyKey({ ...original, source_hash }) };
}

const TRACE_FIELDS = new Set(["trace_id", "span_id", "parent_span_id", "traceparent"]);

/**
 * Parses the envelope of a received message. Throws TerminalFault `TRACE_MISSING` when only its trace is invalid (this
 * system sends no such message), and `ENVELOPE_INVALID` for any other fault.
 */
export function parseEnvelope(body: string, service: string): Envelope {
  const parsed = Envelope.safeParse(parseJson(body, service));
  if (!parsed.success) {
    const { issues } = parsed.error;
    const only_trace = issues.every(({ path: [field] }) => TRACE_FIELDS.has(String(field)));
    if (!only_trace) throw invalid(service, parsed.error);
    throw new TerminalFault(
      "TRACE_MISSING",
      "the message has no valid trace_id, span_id and traceparent; send it through the API, or with a traceparent",
      { cause: parsed.error },
    );
  }
  if (parsed.data.service === service) return parsed.data;
  throw invalid(service, new TypeError(`it is for ${parsed.data.service}`));
}

function parseJson(body: string, service: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw invalid(service, cause);
  }
}

function invalid(service: string, cause: unknown): TerminalFault {
  return new TerminalFault("ENVELOPE_INVALID", `the message is not an envelope for ${service}`, { cause });
}
