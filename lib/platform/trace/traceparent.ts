import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { SpanRecorder } from "#lib/platform/trace/span.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** A position in a trace (W3C Trace Context, https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  trace_id: string;
  span_id: string;
  parent_span_id?: string | undefined;
  /** False when the origin of the trace asked not to record it. Passed on unchanged. */
  sampled: boolean;
  /** State of other tracing systems, passed on unchanged. */
  tracestate?: string | undefined;
  /** Records the spans below this one; absent: they are not recorded. */
  recorder?: SpanRecorder | undefined;
}

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;
const SAMPLED_FLAG = 0x01;

/**
 * Reads a `traceparent`, and the `tracestate` beside it. Undefined when it is malformed: the
 * caller then starts a new trace, as the standard requires. Of a later version, the fields of version 00 are read.
 */
export function parseTraceparent(
  header: string | undefined,
  tracestate?: string | undefined,
): TraceContext | undefined {
  const [, version, trace_id, span_id, flags = "", rest] = TRACEPARENT.exec(header?.trim() ?? "") ?? [];
  if (!trace_id || !span_id || (version === "00" && rest !== undefined)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED_FLAG) !== 0;
  const state = tracestate?.trim();
  return { trace_id, span_id, sampled, ...(state && TRACESTATE.test(state) && { tracestate: state }) };
}

export function formatTraceparent({ trace_id, span_id, sampled }: TraceContext): string {
  return `00-${trace_id}-${span_id}-${sampled ? "01" : "00"}`;
}

/** A new span below `parent`, or the root of a new trace. */
export function childSpan(parent: TraceContext | undefined, runtime: Runtime): TraceContext {
  const span_id = runtime.hex(8);
  if (!parent) return { trace_id: runtime.hex(16), span_id, sampled: true };
  const { trace_id, sampled, tracestate, recorder } = parent;
  return { trace_id, span_id, parent_span_id: parent.span_id, sampled, tracestate, recorder };
}

/** The root of a task's trace: the request that created it. Throws TypeError for a damaged record. */
export function taskTrace(
  { task_id, traceparent, tracestate }: Pick<TaskRecord, "task_id" | "traceparent" | "tracestate">,
  recorder?: SpanRecorder,
): TraceContext {
  const root = parseTraceparent(traceparent, tracestate);
  if (!root) throw new TypeError(`task ${task_id} has no valid traceparent`);
  return { ...root, recorder };
}
