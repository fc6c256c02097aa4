import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { ConfigRejected } from "#lib/platform/config/config-rejected.ts";
import type { ConfigSource } from "#lib/platform/config/config-source.ts";
import { CONFIG_BYTES_MAX } from "#lib/platform/config/parse-config.ts";

const TIMEOUT_MS = 2000;

/**
 * Objects under a prefix. An unchanged one costs a conditional GET that answers 304
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-reads.html). S3 shows a
 * write to every later read, so a change is in force within 5 s for a process at work, and 8 s at most.
 */
export function s3Source(s3: () => S3Client, bucket: string, prefix: string): ConfigSource {
  const kept = new Map<string, { etag: string; bytes: Uint8Array }>();
  return {
    place: `s3://${bucket}/${prefix}`,
    refresh_ms: 5000,
    wait_ms: 8000,
    timeout_ms: TIMEOUT_MS,
    settle_ms: 0,
    async read(name) {
      const known = kept.get(name);
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: `${prefix}${name}`,
        ...(known && { IfNoneMatch: known.etag }),
      });
      try {
        const found = await s3().send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
        const bytes = await readBody(found);
        if (found.ETag) kept.set(name, { etag: found.ETag, bytes });
        return bytes;
      } catch (cause) {
        if (known && cause instanceof S3ServiceException && cause.$metadata.httpStatusCode === 304) {
          return known.bytes;
        }
        if (cause instanceof ConfigRejected) throw cause;
        throw new Error(unreadable(`s3://${bucket}/${prefix}${name}`, cause), { cause });
      }
    },
  };
}

async function readBody({ Body, ContentLength = 0 }: GetObjectCommandOutput): Promise<Uint8Array> {
  const body = Body as (GetObjectCommandOutput["Body"] & { destroy?(): void }) | undefined;
  if (ContentLength > CONFIG_BYTES_MAX) {
    body?.destroy?.();
    throw new ConfigRejected(`it has ${ContentLength} bytes; ${CONFIG_BYTES_MAX} is the limit`);
  }
  return (await body?.transformToByteArray()) ?? new Uint8Array();
}

function unreadable(place: string, cause: unknown): string {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  if (name === "NoSuchKey") return `there is no ${place}; npm run config:push puts it there`;
  return `${place} cannot be read: ${name}: ${message.slice(0, 300)}`;
}
