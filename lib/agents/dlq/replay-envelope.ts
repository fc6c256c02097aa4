import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { childSpan, formatTraceparent, parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** The same message for the same effect in the same trace, as a new message: its replay. */
export function replayEnvelope(original: Envelope, deadline_at: string, runtime: Runtime): Envelope {
  const { trace_id, span_id, tracestate } = original;
  const parent = parseTraceparent(original.traceparent, tracestate) ?? { trace_id, span_id, sampled: true };
  const span = childSpan(parent, runtime);
  return {
    ...original,
    message_id: runtime.uuid(),
    span_id: span.span_id,
    parent_span_id: original.span_id,
    traceparent: formatTraceparent(span),
    attempt: original.attempt + 1,
    issued_at: instant(runtime.now()),
    deadline_at,
    replay_of: original.message_id,
  };
}
