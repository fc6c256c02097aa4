import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { CONFIG_BYTES_MAX, ConfigRejected } from "#lib/platform/config/parse-config.ts";

/** A source of configuration files, with its polling times. */
export interface ConfigSource {
  /** Shown to operators: `configs/` or `s3://bucket/configs/`. */
  readonly place: string;
  /** Age of the last read after which a new one starts in the background. */
  readonly refresh_ms: number;
  /** Age of the last read after which a request waits for a new one. */
  readonly wait_ms: number;
  /** Longest duration of a read, and longest wait of a request for it. */
  readonly timeout_ms: number;
  /** How long a fault must last before it is reported. */
  readonly settle_ms: number;
  /** Reads a whole file. Throws ConfigRejected when it is too large, and other errors when it cannot be read. */
  read(name: string): Promise<Uint8Array>;
}

/** Files in a directory. Every poll reads each file: they are small, and modification times are too coarse. */
export function fileSource(directory: string): ConfigSource {
  return {
    place: join(directory, "/"),
    refresh_ms: 500,
    wait_ms: 500,
    timeout_ms: 1000,
    settle_ms: 1000,
    async read(name) {
      const path = join(directory, name);
      const facts = await stat(path);
      if (!facts.isFile()) throw new Error(`${path} is not a file`);
      if (facts.size > CONFIG_BYTES_MAX) {
        throw new ConfigRejected(`it has ${facts.size} bytes; ${CONFIG_BYTES_MAX} is the limit`);
      }
      return readFile(path);
    },
  };
}

/** The files deployed with the code, used until the source has answered. */
export function bundledFiles(directory: string): (name: string) => { bytes: Uint8Array; place: string } {
  return (name) => {
    const place = join(directory, name);
    return { bytes: readFileSync(place), place };
  };
}

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
