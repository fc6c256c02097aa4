import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { blobKey } from "#lib/platform/blobs/object-keys.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { type BlobRef, INLINE_CHARACTERS_MAX } from "#schemas/primitives.ts";

/** Larger bytes are not even tried: few of them would become small enough. */
const TRIED_BYTES_MAX = 64 * 1024;

/** A reference that carries its bytes; undefined when they take more than `characters_max` characters. */
export function inlineBlob(
  tenant: string,
  bytes: Uint8Array,
  characters_max = INLINE_CHARACTERS_MAX,
): BlobRef | undefined {
  if (bytes.byteLength > TRIED_BYTES_MAX) return undefined;
  const inline = deflateRawSync(bytes).toString("base64");
  if (inline.length > Math.min(characters_max, INLINE_CHARACTERS_MAX)) return undefined;
  const digest = sha256(bytes);
  return { key: blobKey(tenant, digest), sha256: digest, bytes: bytes.byteLength, inline };
}

/** A reference in memory that carries its bytes, however many. No item of the table can hold all of them. */
export function carriedBlob(tenant: string, bytes: Uint8Array): Required<BlobRef> {
  const digest = sha256(bytes);
  const inline = deflateRawSync(bytes).toString("base64");
  return { key: blobKey(tenant, digest), sha256: digest, bytes: bytes.byteLength, inline };
}

/** The bytes that a reference carries; undefined when they are in the bucket. Throws TerminalFault `BLOB_CORRUPT`. */
export function inlineBytes({ key, bytes, inline }: BlobRef): Buffer | undefined {
  if (inline === undefined) return undefined;
  try {
    return inflateRawSync(Buffer.from(inline, "base64"), { maxOutputLength: Math.max(1, bytes) });
  } catch (cause) {
    throw new TerminalFault("BLOB_CORRUPT", `the bytes in the reference ${key} cannot be read`, { cause });
  }
}

/**
 * A blob store that puts nothing small into the bucket: small bytes travel in the reference, until those of all
 * references take `characters_max` characters together. Whoever keeps the references bounds his item so. What is
 * written with `in_ledger` does not count.
 */
export function keepSmallInline(blobs: BlobStore, tenant: string, characters_max: number): BlobStore {
  let left = characters_max;
  return {
    ...blobs,
    async write(content, content_type, { in_ledger = false } = {}) {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      const reference = inlineBlob(tenant, bytes, in_ledger ? undefined : left);
      if (!reference) return blobs.write(bytes, content_type);
      if (!in_ledger) left -= reference.inline?.length ?? 0;
      return reference;
    },
  };
}

/** A JSON value with what its references carry left out, for readers who can fetch it elsewhere. */
export function withoutInline<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutInline) as Value;
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value);
  const is_reference = "inline" in value && "sha256" in value && "key" in value;
  const kept = is_reference ? fields.filter(([name]) => name !== "inline") : fields;
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutInline(field)])) as Value;
}
