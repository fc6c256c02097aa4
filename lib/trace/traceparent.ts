import type { Runtime } from "#lib/runtime/runtime.ts";

/** A position in a trace (W3C Trace Context, https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  trace_id: string;
  span_id: string;
  parent_span_id?: string;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const match = TRACEPARENT.exec(header?.trim() ?? "");
  const [, trace_id, span_id] = match ?? [];
  return trace_id && span_id ? { trace_id, span_id } : undefined;
}

export function formatTraceparent({ trace_id, span_id }: TraceContext): string {
  return `00-${trace_id}-${span_id}-01`;
}

/** A new span below `parent`, or the root of a new trace. */
export function childSpan(parent: TraceContext | undefined, runtime: Runtime): TraceContext {
  const span_id = runtime.hex(8);
  return parent
    ? { trace_id: parent.trace_id, span_id, parent_span_id: parent.span_id }
    : { trace_id: runtime.hex(16), span_id };
}
