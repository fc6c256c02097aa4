import type { SpanRecord } from "#schemas/records/span.ts";

/** The task whose trace a span belongs to. */
export interface TaskRef {
  tenant: string;
  task_id: string;
}

/** Takes the finished spans of one delivery or request. */
export interface SpanRecorder {
  add(span: Omit<SpanRecord, "service">): void;
  /** Has them kept with this task: those recorded already, and those to come. */
  belongsTo(task: TaskRef): void;
}
