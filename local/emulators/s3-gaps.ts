import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { FauxqsInternals, ObjectStore } from "./fauxqs-internals.ts";
import type { App } from "./sqs-gaps.ts";

const UNSUPPORTED = ["tagging", "acl", "retention", "legal-hold", "torrent", "select"];
const OBJECT_BYTES_MAX = 512 * 1024 * 1024;

export interface S3Refusal {
  status: number;
  code: string;
  message: string;
}

/** Answers as S3 does, in XML. */
export function s3Error({ code, message }: S3Refusal): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

/**
 * Conditional writes, checksum checks and an honest 501 for sub-resources fauxqs would mistake for the
 * object itself; bodies up to 512 MiB instead of 11. The hook and the write run without a pause
 * between them, so a conditional write is atomic.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function closeS3Gaps(app: App, objects: ObjectStore, internals: FauxqsInternals): void {
  app.removeContentTypeParser("*");
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: OBJECT_BYTES_MAX }, (_request, body, done) =>
    done(null, body),
  );
  app.addHook("preHandler", (request, reply, done) => {
    const { bucket, "*": key } = (request.params ?? {}) as { bucket?: string; "*"?: string };
    if (!bucket || !key) return done();
    const query = request.query as Record<string, string>;
    const writes = request.method === "PUT" || (request.method === "POST" && "uploadId" in query);
    const refusal =
      unsupported(query) ??
      (writes && !("partNumber" in query)
        ? unmetCondition(request.headers, objects.buckets.get(bucket)?.get(key))
        : undefined) ??
      (request.method === "PUT" && Buffer.isBuffer(request.body)
        ? wrongChecksum(request.headers, request.body, internals)
        : undefined);
    if (!refusal) return done();
    reply.status(refusal.status).header("content-type", "application/xml").send(s3Error(refusal));
  });
}

function unsupported(query: Record<string, string>): S3Refusal | undefined {
  const name = UNSUPPORTED.find((candidate) => candidate in query);
  if (!name) return;
  return { status: 501, code: "NotImplemented", message: `The local S3 does not implement ?${name}.` };
}

type Headers = Record<string, string | string[] | undefined>;

function unmetCondition(headers: Headers, existing: { etag: string } | undefined): S3Refusal | undefined {
  const if_none_match = headers["if-none-match"];
  const if_match = headers["if-match"];
  const failed = { status: 412, code: "PreconditionFailed" };
  if (if_none_match !== undefined) {
    if (if_none_match !== "*") {
      return { status: 501, code: "NotImplemented", message: "S3 takes only If-None-Match: * on a write." };
    }
    if (existing)
      return { ...failed, message: "At least one of the pre-conditions you specified did not hold" };
  }
  if (if_match !== undefined) {
    if (!existing) return { status: 404, code: "NoSuchKey", message: "The specified key does not exist." };
    if (unquoted(String(if_match)) !== unquoted(existing.etag)) {
      return { ...failed, message: "At least one of the pre-conditions you specified did not hold" };
    }
  }
  return;
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', "");
}

const DIGESTS: Record<string, (body: Buffer) => string> = {
  "content-md5": (body) => createHash("md5").update(body).digest("base64"),
  "x-amz-checksum-sha1": (body) => createHash("sha1").update(body).digest("base64"),
  "x-amz-checksum-sha256": (body) => createHash("sha256").update(body).digest("base64"),
  "x-amz-checksum-crc32": (body) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return sum.toString("base64");
  },
};

function wrongChecksum(headers: Headers, sent: Buffer, internals: FauxqsInternals): S3Refusal | undefined {
  const chunked = String(headers["content-encoding"] ?? "").includes("aws-chunked");
  const { body, trailers } = chunked ? internals.decodeAwsChunked(sent) : { body: sent, trailers: {} };
  const claims: Headers = { ...headers, ...trailers };
  for (const [header, digest] of Object.entries(DIGESTS)) {
    const claimed = claims[header];
    if (claimed !== undefined && claimed !== digest(body)) {
      return { status: 400, code: "BadDigest", message: `The body does not match its ${header}.` };
    }
  }
  return;
}
