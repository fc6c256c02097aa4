import type { SQSClient } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idempotencyKey } from "#lib/platform/hash/source-hash.ts";
import { makeEnvelope, stepSourceHash } from "#lib/platform/messages/envelope.ts";
import { readPayload, sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { Envelope } from "#schemas/messages/envelope.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";

const SQS_BYTES_MAX = 256 * 1024;
const hex = (characters: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${characters}}$`)).filter((text) => /[^0]/.test(text));
const partsOf = fc.record({
  service: fc.constantFrom("codegen", "buildtest", "indexing"),
  role: fc.constant("worker"),
  shard: fc.constant("0"),
  tenant: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,38}$/),
  task_id: fc.stringMatching(/^task_[0-9a-hjkmnp-tv-z]{26}$/),
  step: fc.constantFrom("codegen", "buildtest", "index_result"),
  round: fc.nat(9),
  attempt: fc.nat(20),
  payload: fc.jsonValue(),
  deadline_at: fc.constant("2030-01-01T00:00:00.000Z"),
  parent: fc.record({ trace_id: hex(32), span_id: hex(16), sampled: fc.boolean() }),
});

/** Sends as SQS would take it, and what the receiver gets. */
async function sent(message: Envelope) {
  const bodies: string[] = [];
  const groups: unknown[] = [];
  const blobs = fakeBlobStore();
  const sqs = {
    send: async ({ input }: { input: { MessageBody: string; MessageGroupId: string } }) => {
      bodies.push(input.MessageBody);
      groups.push(input.MessageGroupId);
    },
  } as unknown as SQSClient;
  const ports = { sqs, blobsOf: () => blobs };
  await sendEnvelope("queue", message, ports);
  const [body = ""] = bodies;
  expect([bodies.length, groups[0]]).toEqual([1, message.tenant]);
  expect(Buffer.byteLength(body)).toBeLessThan(SQS_BYTES_MAX);
  expect(body).not.toMatch(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  const received = Envelope.parse(JSON.parse(body));
  return { received, payload: await readPayload(received, ports) };
}

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));

describe("an envelope", () => {
  it("arrives as it was made, with a key and hash the receiver computes too", async () => {
    await fc.assert(
      fc.asyncProperty(partsOf, async (parts) => {
        const message = makeEnvelope(parts, systemRuntime);
        const { received, payload } = await sent(message);
        expect(received).toEqual(asJson(message));
        expect(payload).toEqual(asJson(parts.payload));
        expect(received.source_hash).toBe(stepSourceHash(parts.service, payload));
        expect(received.idempotency_key).toBe(idempotencyKey(received));
        expect(received).toMatchObject({
          trace_id: parts.parent.trace_id,
          parent_span_id: parts.parent.span_id,
        });
      }),
    );
  });

  it("travels by claim check when its payload is too large, and by no other way", async () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 190_000, max: 400_000 }));
    const characters = fc.constantFrom("a", "é", '"', "\u0000", "🧩");
    await fc.assert(
      fc.asyncProperty(partsOf, sizes, characters, async (parts, size, character) => {
        const large = { text: character.repeat(size) };
        const { received, payload } = await sent(makeEnvelope({ ...parts, payload: large }, systemRuntime));
        expect(payload).toEqual(large);
        expect(Object.hasOwn(received, "payload")).toBe(received.payload_ref === undefined);
        if (Buffer.byteLength(JSON.stringify(large)) > 200_000) expect(received.payload_ref).toBeDefined();
        if (Buffer.byteLength(JSON.stringify(large)) < 190_000) expect(received.payload).toEqual(large);
        expect(received.idempotency_key).toBe(idempotencyKey(received));
      }),
      { numRuns: 40 },
    );
  });

  it("is never sent without a valid trace", async () => {
    const [parts] = fc.sample(partsOf, 1);
    const message = makeEnvelope(parts!, systemRuntime);
    const foreign = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    for (const wrong of [{ trace_id: "0".repeat(32) }, { traceparent: "none" }, { traceparent: foreign }]) {
      await expect(sent({ ...message, ...wrong })).rejects.toThrow();
    }
  });

  it("has only characters that SQS takes, whatever its payload has", async () => {
    const [parts] = fc.sample(partsOf, 1);
    const text = "\u0000\u001b\ufffe\uffff\u{1f600}";
    const { payload } = await sent(makeEnvelope({ ...parts!, payload: { text } }, systemRuntime));
    expect(payload).toEqual({ text });
  });
});
