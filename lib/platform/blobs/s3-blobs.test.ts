import { Readable } from "node:stream";
import { type GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";

interface Stored {
  body: Uint8Array;
  metadata: Record<string, string> | undefined;
}

function fakeBucket() {
  const objects = new Map<string, Stored>();
  const s3 = {
    async send(command: PutObjectCommand | GetObjectCommand) {
      if (command instanceof PutObjectCommand) {
        const { Key = "", Body, Metadata } = command.input;
        objects.set(Key, { body: Body as Uint8Array, metadata: Metadata });
        return {};
      }
      const found = objects.get((command as GetObjectCommand).input.Key ?? "");
      return { Body: Readable.from([Buffer.from(found!.body)]), Metadata: found!.metadata };
    },
  };
  return { objects, s3: s3 as never, tenant: "acme", bucket: "bucket" };
}

const position = (digit: string): TraceContext => ({
  trace_id: digit.repeat(32),
  span_id: digit.repeat(16),
  sampled: true,
});

describe("blobs and traces", () => {
  it("carry the writer's traceparent as metadata, and the reader is told of it", async () => {
    const { objects, ...options } = fakeBucket();
    const reference = await s3Blobs({ ...options, trace: position("a") }).write("text", "text/plain");
    const traceparent = `00-${"a".repeat(32)}-${"a".repeat(16)}-01`;
    expect(objects.get(reference.key)?.metadata).toEqual({ traceparent });
    const told: TraceContext[] = [];
    const reader = { ...position("b"), link: (other: TraceContext) => void told.push(other) };
    expect(await s3Blobs({ ...options, trace: reader }).readText(reference)).toBe("text");
    expect(told).toEqual([position("a")]);
  });

  it("work the same without a trace, or with metadata that makes no sense", async () => {
    const { objects, ...options } = fakeBucket();
    const reference = await s3Blobs(options).write("text", "text/plain");
    expect(objects.get(reference.key)?.metadata).toBeUndefined();
    objects.get(reference.key)!.metadata = { traceparent: "nonsense" };
    const reader = {
      ...position("b"),
      link: () => {
        throw new Error("not to be called");
      },
    };
    expect(await s3Blobs({ ...options, trace: reader }).readText(reference)).toBe("text");
  });
});
