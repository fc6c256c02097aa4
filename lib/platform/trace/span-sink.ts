import type { TaskRef } from "#lib/platform/trace/span-recorder.ts";
import type { SpanRecord } from "#schemas/records/span.ts";

/** Spans that one invocation finished, for one task or for none. */
export interface SpanGroup {
  task: TaskRef | undefined;
  spans: SpanRecord[];
}

/** Everything one invocation finished. */
export interface SpanBatch {
  service: string;
  function_name: string;
  /** Lambda's request id; unique to the invocation. */
  invocation: string;
  groups: SpanGroup[];
}

/** A place finished spans go to. It may fail and it may hang: whoever calls it bounds it. */
export interface SpanSink {
  name: string;
  write(batch: SpanBatch, signal: AbortSignal): Promise<void>;
}
