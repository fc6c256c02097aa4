import type { SpanRecorder } from "#lib/platform/trace/span-recorder.ts";
import { parseTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** The root of a task's trace: the request that created it. Throws TypeError for a damaged record. */
export function taskTrace(
  { task_id, traceparent, tracestate }: Pick<TaskRecord, "task_id" | "traceparent" | "tracestate">,
  recorder?: SpanRecorder,
): TraceContext {
  const root = parseTraceparent(traceparent, tracestate);
  if (!root) throw new TypeError(`task ${task_id} has no valid traceparent`);
  return { ...root, recorder };
}
