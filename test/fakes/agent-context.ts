import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

interface FakeArtifact {
  bytes: Buffer;
  content_type: string;
  /** null for free text. */
  schema_name: string | null;
}

export interface FakeLogLine {
  level: "info" | "warn" | "error";
  code: string;
  sentence: string;
  fields: Record<string, unknown>;
}

/** An `AgentContext` in memory, and what a test wants to look at afterwards. */
export interface FakeAgentContext {
  context: AgentContext;
  blobs: BlobStore;
  /** By path; JSON artifacts are validated by the schema given, as the platform does. */
  artifacts: Map<string, FakeArtifact>;
  lines: FakeLogLine[];
  /** By metric. */
  counted: Map<string, number>;
  /** Ends `context.signal`. */
  abort(reason?: unknown): void;
}

export function fakeAgentContext(envelope: Partial<Envelope> = {}): FakeAgentContext {
  const controller = new AbortController();
  const artifacts = new Map<string, FakeArtifact>();
  const lines: FakeLogLine[] = [];
  const counted = new Map<string, number>();
  const blobs = fakeBlobStore();
  return {
    context: {
      envelope: { ...fakeEnvelope(), ...envelope },
      signal: controller.signal,
      blobs,
      artifacts: {
        text: async (path, text, content_type) => {
          artifacts.set(path, { bytes: Buffer.from(text), content_type, schema_name: null });
          return blobs.write(text, content_type);
        },
        json: async (path, schema_name, schema, value) => {
          const bytes = Buffer.from(`${JSON.stringify(schema.parse(value), null, 2)}\n`);
          artifacts.set(path, { bytes, content_type: "application/json", schema_name });
          return blobs.write(bytes, "application/json");
        },
      },
      log: fakeLog(lines, {}),
      runtime: systemRuntime,
      call: (_, work) => work(controller.signal),
      span: (name, attributes, work) => inSpan(undefined, { name, attributes }, systemRuntime, work),
      count: (metric, amount = 1) => counted.set(metric, (counted.get(metric) ?? 0) + amount),
    },
    blobs,
    artifacts,
    lines,
    counted,
    abort: (reason) => controller.abort(reason),
  };
}

export function fakeBlobStore(): BlobStore {
  const stored = new Map<string, Buffer>();
  const read = async (key: string): Promise<Buffer> => {
    const bytes = stored.get(key);
    if (!bytes) throw new Error(`no blob ${key}`);
    return bytes;
  };
  return {
    write: async (bytes) => {
      const buffer = Buffer.from(bytes);
      const reference = { key: `blobs/${sha256(buffer)}`, sha256: sha256(buffer), bytes: buffer.length };
      stored.set(reference.key, buffer);
      return reference;
    },
    read: (reference) => read(reference.key),
    readText: async (reference) => (await read(reference.key)).toString("utf8"),
    stream: async (reference) => Readable.from([await read(reference.key)]),
  };
}

function fakeEnvelope(): Envelope {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const trace_id = hash("trace").slice(0, 32);
  const span_id = hash("span").slice(0, 16);
  return {
    schema_version: 1,
    message_id: "00000000-0000-4000-8000-000000000001",
    trace_id,
    span_id,
    traceparent: `00-${trace_id}-${span_id}-01`,
    service: "fake",
    role: "worker",
    shard: "0",
    tenant: "acme",
    task_id: "task_00000000000000000000000001",
    step: "fake",
    round: 0,
    attempt: 0,
    idempotency_key: hash("key"),
    source_hash: hash("source"),
    issued_at: "2026-01-01T00:00:00.000Z",
    deadline_at: "2099-01-01T00:00:00.000Z",
  };
}

export function fakeLog(lines: FakeLogLine[], bound: Record<string, unknown>): Log {
  const write =
    (level: FakeLogLine["level"]) =>
    (code: string, sentence: string, fields = {}) => {
      lines.push({ level, code, sentence, fields: { ...bound, ...fields } });
    };
  return {
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (fields) => fakeLog(lines, { ...bound, ...fields }),
  };
}
