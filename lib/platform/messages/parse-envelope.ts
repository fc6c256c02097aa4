import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { Envelope } from "#schemas/messages/envelope.ts";

const TRACE_FIELDS = new Set(["trace_id", "span_id", "parent_span_id", "traceparent"]);

/**
 * A received message's envelope. Throws TerminalFault `TRACE_MISSING` when all that is wrong is its
 * trace (nothing of ours sends such a message), and `ENVELOPE_INVALID` for anything else.
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
  return new TerminalFault("ENVELOPE_INVALID", `the message is no envelope for ${service}`, { cause });
}
