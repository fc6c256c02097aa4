import { describe, expect, it } from "vitest";
import { makeEnvelope, parseEnvelope } from "#lib/platform/messages/envelope.ts";
import { sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { childSpan } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

const envelope = (): Envelope =>
  makeEnvelope(
    {
      service: "codegen",
      role: "worker",
      shard: "0",
      tenant: "acme",
      task_id: `task_${"0".repeat(26)}`,
      step: "codegen",
      round: 0,
      attempt: 0,
      payload: { a: 1 },
      deadline_at: "2999-01-01T00:00:00.000Z",
      parent: { ...childSpan(undefined, systemRuntime), tracestate: "a=1" },
    },
    systemRuntime,
  );
const ZEROS = "0".repeat(32);
const broken: [string, Partial<Record<keyof Envelope, unknown>>][] = [
  ["no trace_id", { trace_id: undefined }],
  ["an empty trace_id", { trace_id: "" }],
  ["a trace_id of zeros", { trace_id: ZEROS, traceparent: `00-${ZEROS}-${"1".repeat(16)}-01` }],
  ["a traceparent of another trace", { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` }],
  ["no traceparent", { traceparent: undefined }],
  ["no span_id", { span_id: undefined }],
];

describe("a message without a valid trace", () => {
  it.each(broken)("(%s) is refused on receipt with a code of its own", (_name, change) => {
    const body = JSON.stringify({ ...envelope(), ...change });
    expect(() => parseEnvelope(body, "codegen")).toThrow(
      expect.objectContaining({ code: "TRACE_MISSING", disposition: "terminal" }),
    );
  });

  it.each(broken)("(%s) is never sent", async (_name, change) => {
    const sent: unknown[] = [];
    const sqs = { send: async (command: unknown) => sent.push(command) } as never;
    const blobsOf = () => {
      throw new Error("not needed");
    };
    const message = { ...envelope(), ...change } as Envelope;
    await expect(sendEnvelope("http://queue", message, { sqs, blobsOf })).rejects.toThrow();
    await sendEnvelope("http://queue", envelope(), { sqs, blobsOf });
    expect(sent).toHaveLength(1);
  });

  it("does not compile either", () => {
    const { trace_id: _, ...rest } = envelope();
    // @ts-expect-error an envelope has a trace_id
    const message: Envelope = rest;
    expect(message.trace_id).toBeUndefined();
  });
});

describe("a message", () => {
  it("with its trace is read, tracestate and all", () => {
    const sent = envelope();
    expect(parseEnvelope(JSON.stringify(sent), "codegen")).toEqual(sent);
    expect(sent.tracestate).toBe("a=1");
  });

  it.each([
    ["not JSON", "{"],
    ["no envelope", '{"poison":true}'],
    ["no object", "7"],
    ["broken elsewhere too", JSON.stringify({ ...envelope(), trace_id: "", tenant: "" })],
    ["for somebody else", JSON.stringify({ ...envelope(), service: "buildtest" })],
  ])("that is %s is ENVELOPE_INVALID", (_name, body) => {
    expect(() => parseEnvelope(body, "codegen")).toThrow(
      expect.objectContaining({ code: "ENVELOPE_INVALID" }),
    );
  });
});
