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

/** Takes the finished spans of one delivery or request. */
export interface SpanRecorder {
  add(span: Omit<SpanRecord, "service">): void;
  /** Has them kept with this task: those recorded already, and those to come. */
  belongsTo(task: TaskRef): void;
}

export interface SpanStart {
  name: string;
  /** Default: `internal`. */
  kind?: SpanKind;
  attributes?: SpanAttributes;
  /** When somebody has minted it already: the id the message carries. */
  span_id?: string;
  /** The parent's parent, where it is known. */
  grandparent_span_id?: string | undefined;
  /** Unix time; default: now. */
  start_ms?: number;
  /** Where it and what is below it are recorded; default: where the parent is. */
  recorder?: SpanRecorder;
}

/** A span under way. It is a position in the trace, so whatever takes a parent takes it. */
export interface Span extends TraceContext {
  set(attributes: SpanAttributes): void;
  /** Marks it as failed, with a stable code. */
  fail(code: string, message: string): void;
  /** Points to a span of another trace that this one builds on; the first eight count. */
  link(other: TraceContext): void;
  end(): void;
}

const ATTRIBUTE_CHARACTERS_MAX = 1024;
const MESSAGE_CHARACTERS_MAX = 500;
const LINKS_MAX = 8;

/** Begins a span below `parent`. One that nobody records only hands the trace on. */
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
      recorder.add({
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
        ...(links.length > 0 && { links }),
      });
    },
  };
}

/** Does `work` in a span of its own. What it throws marks the span and is thrown on. */
export async function inSpan<Result>(
  parent: TraceContext | undefined,
  start: SpanStart,
  runtime: Runtime,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = startSpan(parent, start, runtime);
  try {
    return await work(span);
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** What a thrown error makes of a span. Waiting for somebody else is no failure. */
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
