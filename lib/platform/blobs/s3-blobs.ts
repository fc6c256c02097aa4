import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { GetObjectCommand, PutObjectCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { s3Client } from "#lib/platform/aws/clients.ts";
import type { BlobStore, BlobTrace } from "#lib/platform/blobs/blobs.ts";
import { inlineBytes } from "#lib/platform/blobs/inline-blob.ts";
import { blobKey, isKeyOf, snapshotKey } from "#lib/platform/blobs/object-keys.ts";
import { RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { settings } from "#lib/platform/settings/environment.ts";
import { retentionTag } from "#lib/platform/table/retention.ts";
import { formatTraceparent, parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import type { BlobRef } from "#schemas/primitives.ts";

interface BlobOptions {
  tenant: string;
  /** Written objects are kept while a graph pointer refers to them, instead of for a fixed time. */
  snapshots?: boolean;
  s3?: S3Client;
  bucket?: string;
  /** Stored in the metadata of every written object; linked to the traces of the objects that are read. */
  trace?: BlobTrace | undefined;
}

/** One tenant's blobs in the artifact bucket. A reference to another tenant's key is refused. */
export function s3Blobs({
  tenant,
  snapshots = false,
  s3 = s3Client(),
  bucket = settings().artifact_bucket,
  trace,
}: BlobOptions): BlobStore {
  const open = async (reference: BlobRef): Promise<Readable> => {
    try {
      const found = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: reference.key }));
      const writer = parseTraceparent(found.Metadata?.traceparent);
      if (writer) trace?.link?.(writer);
      return found.Body as Readable;
    } catch (cause) {
      if (!(cause instanceof S3ServiceException) || cause.$metadata.httpStatusCode !== 404) throw cause;
      throw new TerminalFault("BLOB_MISSING", `${reference.key} is not in the artifact bucket`, { cause });
    }
  };

  const fetch = async (reference: BlobRef): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of await open(reference)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };

  const read = async (reference: BlobRef): Promise<Buffer> => {
    if (!isKeyOf(tenant, reference.key)) {
      throw new TerminalFault("BLOB_FOREIGN", `${reference.key} does not belong to tenant ${tenant}`);
    }
    const bytes = inlineBytes(reference) ?? (await fetch(reference));
    if (sha256(bytes) === reference.sha256) return bytes;
    const sentence = `${reference.key} holds other bytes than its SHA-256 ${reference.sha256} says`;
    throw reference.key.includes("/uploads/")
      ? new RejectedInput("UPLOAD_CORRUPT", `${sentence}; upload it again`)
      : new TerminalFault("BLOB_CORRUPT", sentence);
  };

  return {
    async write(content, content_type) {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      const digest = sha256(bytes);
      const key = (snapshots ? snapshotKey : blobKey)(tenant, digest);
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: bytes,
          ContentType: content_type,
          ...(trace && { Metadata: { traceparent: formatTraceparent(trace) } }),
          Tagging: retentionTag(snapshots ? "graph" : "blob"),
          ChecksumSHA256: Buffer.from(digest, "hex").toString("base64"),
        }),
      );
      return { key, sha256: digest, bytes: bytes.byteLength };
    },
    read,
    readText: async (reference) => (await read(reference)).toString("utf8"),
    stream: async (reference) => Readable.from(await read(reference)),
  };
}
