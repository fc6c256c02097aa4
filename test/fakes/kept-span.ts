import type { KeptSpan } from "#lib/platform/trace/task-spans.ts";

export const FAKE_TRACE = "a".repeat(32);

/** A span id of the right form from a short name. */
export function spanId(name: string): string {
  return Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16);
}

/** A recorded span, by short names; every span is of an invocation of its own unless it says otherwise. */
export function keptSpan(
  name: string,
  parent: string | undefined,
  [start_ms, end_ms]: [number, number],
  fields: Partial<KeptSpan> = {},
): KeptSpan {
  return {
    trace_id: FAKE_TRACE,
    span_id: spanId(name),
    ...(parent && { parent_span_id: spanId(parent) }),
    service: "fake",
    name,
    kind: "internal",
    start_ms,
    end_ms,
    status: { code: "unset" },
    attributes: {},
    invocation: name,
    ...fields,
  };
}
