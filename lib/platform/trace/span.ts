import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { failureFacts } from "#lib/platform/errors/failure.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { childSpan, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { SpanAttributes, SpanKind, SpanRecord } from "#schemas/records/span.ts";

/** The task whose trace a span belongs to. */
export interface TaskRef {
  tenant: string;
  task_id: string;
}

/** A span as its recorder takes it: the service is the recorder's own. */
export type RecordedSpan = Omit<SpanRecord, "service">;

/** Spans to be written with an item. */
interface SpanLoad {
  invocation: string;
  spans: SpanRecord[];
  /** To be called once they are written. */
  delivered(): void;
}

/** Takes the spans of one message or request. */
export interface SpanRecorder {
  /** A span that has begun; `now` gives it as it stands. */
  begin?(span_id: string, now: () => RecordedSpan): void;
  /** A span that has ended. */
  add(span: RecordedSpan): void;
  /** The spans of a trace that no write has carried so far, those that are open included. */
  load?(trace_id: string): SpanLoad;
  /** Sets the task under which all spans of this recorder are stored, including those already recorded. */
  belongsTo(task: TaskRef): void;
  /** The message changed nothing: its spans are worth no write, unless one has failed. A collector gets them. */
  changedNothing?(): void;
}

export interface SpanStart {
  name: string;
  /** Default: `internal`. */
  kind?: SpanKind;
  attributes?: SpanAttributes;
  /** The id, when it was generated before: a message carries it. */
  span_id?: string;
  /** Span id of the parent's parent, if known. */
  grandparent_span_id?: string | undefined;
  /** Unix time; default: now. */
  start_ms?: number;
  /** Records this span and its descendants; default: the recorder of the parent. */
  recorder?: SpanRecorder;
}

/** A started span. It is a TraceContext, so it can be passed wherever a parent is expected. */
export interface Span extends TraceContext {
  set(attributes: SpanAttributes): void;
  /** Marks it as failed, with a stable code. */
  fail(code: string, message: string): void;
  /** Adds a link to a span of another trace; at most eight are kept. */
  link(other: TraceContext): void;
  end(): void;
}

const ATTRIBUTE_CHARACTERS_MAX = 1024;
const MESSAGE_CHARACTERS_MAX = 500;
const LINKS_MAX = 8;

/** Starts a child span of `parent`. Without a recorder the span is not recorded and only continues the trace. */
export function startSpan(parent: TraceContext | undefined, start: SpanStart, runtime: Runtime): Span {
  const position = childSpan(parent, runtime);
  if (start.span_id) position.span_id = start.span_id;
  if (start.recorder) position.recorder = start.recorder;
  const { trace_id, span_id, parent_span_id, sampled, recorder, tracestate } = position;
  const start_ms = start.start_ms ?? runtime.now();
  const attributes: SpanAttributes = { ...start.attributes };
  let status: SpanRecord["status"] = { code: "unset" };
  const links: NonNullable<SpanRecord["links"]> = [];
  let ended = false;
  const record = (): RecordedSpan => ({
    trace_id,
    span_id,
    ...(parent_span_id && { parent_span_id }),
    ...(start.grandparent_span_id && { grandparent_span_id: start.grandparent_span_id }),
    ...(tracestate && { tracestate }),
    name: start.name,
    kind: start.kind ?? "internal",
    start_ms,
    end_ms: Math.max(start_ms, runtime.now()),
    status,
    attributes: withinLimits(attributes),
    ...(links.length > 0 && { links: [...links] }),
  });
  if (sampled) recorder?.begin?.(span_id, record);
  return {
    ...position,
    set: (more) => void Object.assign(attributes, more),
    fail(code, message) {
      status = { code: "error", error_code: code, message: message.slice(0, MESSAGE_CHARACTERS_MAX) };
    },
    link(other) {
      if (other.trace_id === trace_id || links.length >= LINKS_MAX) return;
      if (links.some((link) => link.span_id === other.span_id)) return;
      links.push({ trace_id: other.trace_id, span_id: other.span_id });
    },
    end() {
      if (ended || !sampled || !recorder) return;
      ended = true;
      recorder.add(record());
    },
  };
}

/** Runs `work` in a child span. An error marks the span as failed and is rethrown. */
export async function inSpan<Result>(
  parent: TraceContext | undefined,
  start: SpanStart,
  runtime: Runtime,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = startSpan(parent, start, runtime);
  return untilEnd(span, () => work(span));
}

/** Does the work of a span that has begun, and ends it. An error marks it as failed and is rethrown. */
export async function untilEnd<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span with a thrown error. A fault of disposition `park` does not mark it as failed. */
export function failSpan(span: Span, error: unknown): void {
  const { code, message } = failureFacts(error);
  const disposition = dispositionOf(error);
  span.set({ "agents.outcome": disposition, "error.type": code });
  if (disposition !== "park") span.fail(code, message);
}

function withinLimits(attributes: SpanAttributes): SpanAttributes {
  const entries = Object.entries(attributes).map(([name, value]) => [
    name,
    typeof value === "string" ? value.slice(0, ATTRIBUTE_CHARACTERS_MAX) : value,
  ]);
  return Object.fromEntries(entries);
}
