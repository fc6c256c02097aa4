import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { inlineBlob, keepSmallInline, withoutInline } from "#lib/platform/blobs/inline-blob.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { BlobRef, INLINE_CHARACTERS_MAX } from "#schemas/primitives.ts";

const NO_BUCKET = { send: () => Promise.reject(new Error("no request may be made")) } as never;
const blobs = s3Blobs({ tenant: "acme", s3: NO_BUCKET, bucket: "bucket" });

function counted(): { store: BlobStore; puts: Uint8Array[] } {
  const puts: Uint8Array[] = [];
  const write: BlobStore["write"] = async (bytes) => {
    puts.push(Buffer.from(bytes));
    return { key: "tenants/acme/blobs/put", sha256: "a".repeat(64), bytes: bytes.length };
  };
  return { store: { ...blobs, write }, puts };
}

describe("a reference that carries its bytes", () => {
  it("gives back any bytes, without a request", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        const reference = BlobRef.parse(inlineBlob("acme", bytes));
        expect(await blobs.read(reference)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("is as small as its bytes compress, and nothing at all takes no object", async () => {
    expect(inlineBlob("acme", Buffer.alloc(50_000, "a log line\n"))?.inline?.length).toBeLessThan(1000);
    expect(await blobs.readText(inlineBlob("acme", Buffer.alloc(0))!)).toBe("");
  });

  it("is not made of bytes that are too many", () => {
    expect(inlineBlob("acme", randomBytes(INLINE_CHARACTERS_MAX))).toBeUndefined();
    expect(inlineBlob("acme", Buffer.alloc(65_537))).toBeUndefined();
    expect(inlineBlob("acme", randomBytes(300), 300)).toBeUndefined();
  });

  it.each([
    ["other bytes", { inline: deflateRawSync("other").toString("base64") }],
    ["more bytes than it says", { inline: deflateRawSync(Buffer.alloc(60_000)).toString("base64") }],
    ["no DEFLATE", { inline: "////" }],
    ["nothing", { inline: "" }],
    ["a part of the bytes", { inline: deflateRawSync("tex").toString("base64") }],
  ])("is corrupt with %s", async (_, change) => {
    const reference = { ...inlineBlob("acme", Buffer.from("text"))!, ...change };
    await expect(blobs.read(reference)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  });

  it("of another tenant is refused all the same", async () => {
    const foreign = inlineBlob("other", Buffer.from("text"))!;
    await expect(blobs.read(foreign)).rejects.toMatchObject({ code: "BLOB_FOREIGN" });
  });
});

describe("a store that keeps small blobs in their references", () => {
  it("puts what is large, and what no longer fits in all", async () => {
    const { store, puts } = counted();
    const small = keepSmallInline(store, "acme", 600);
    const large = randomBytes(5000);
    const random = [randomBytes(300), randomBytes(300)];
    expect((await small.write(large, "text/plain")).inline).toBeUndefined();
    expect(await small.readText(await small.write("text", "text/plain"))).toBe("text");
    expect((await small.write(random[0]!, "text/plain")).inline).toBeDefined();
    expect((await small.write(random[1]!, "text/plain")).inline).toBeUndefined();
    expect(puts).toEqual([large, random[1]]);
    const needed = await small.write(random[1]!, "text/plain", { in_ledger: true });
    expect(needed.inline, "what the ledger's readers need").toBeDefined();
    expect((await small.write(large, "text/plain", { in_ledger: true })).inline).toBeUndefined();
  });
});

describe("a view without carried bytes", () => {
  it("leaves out those of references only", () => {
    const { inline: _, ...bare } = inlineBlob("acme", Buffer.from("text"))!;
    const output = {
      source: { blob: inlineBlob("acme", Buffer.from("text")) },
      list: [{ inline: "kept" }],
      no: null,
    };
    expect(withoutInline(output)).toEqual({ source: { blob: bare }, list: [{ inline: "kept" }], no: null });
  });
});
