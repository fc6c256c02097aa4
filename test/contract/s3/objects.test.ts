import { createHash, randomUUID } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import { get, put, text } from "./bucket-steps.ts";
import { s3_differences } from "./differences.ts";

const semantic = contract("s3");
const WRITERS = 20;
const ANSWER_MS_MAX = 10_000;
const sha256 = (body: string) => createHash("sha256").update(body).digest("base64");

describe("an object", () => {
  semantic("comes back whole, with its type and metadata, right after it was written or overwritten", {
    relied_on_by: [
      "lib/platform/blobs/s3-blobs.ts",
      "lib/platform/config/config-source.ts",
      "lib/work/artifacts/standard-layout.ts",
      "scripts/backup/back-up.ts",
      "scripts/backup/restore.ts",
    ],
    async observe(world) {
      const key = randomUUID();
      const seen: string[] = [];
      for (const body of ["first", "", "ü\u{1f600}"]) {
        await put(world, key, body, { ContentType: "text/plain", Metadata: { traceparent: "00-1-2-01" } });
        seen.push(await text(world, key));
      }
      const { ContentType, Metadata } = await get(world, key);
      return { seen, ContentType, traceparent: Metadata?.traceparent };
    },
    aws: { seen: ["first", "", "ü\u{1f600}"], ContentType: "text/plain", traceparent: "00-1-2-01" },
    differs: [s3_differences.headers],
  });

  semantic("that is not there is a 404, NoSuchKey to a get and NotFound to a head", {
    relied_on_by: [
      "lib/platform/blobs/s3-blobs.ts",
      "functions/gateway/store-submission.ts",
      "scripts/config/push-config.ts",
      "lib/platform/config/config-source.ts",
    ],
    async observe(world) {
      const Key = randomUUID();
      const missing = (request: Promise<unknown>) =>
        request.then(
          () => "there",
          (error) => {
            if (error instanceof TypeError) throw error;
            return `${error.name} ${error.$metadata?.httpStatusCode}`;
          },
        );
      return [
        await missing(get(world, Key)),
        await missing(world.s3.send(new HeadObjectCommand({ Bucket: world.bucket, Key }))),
      ];
    },
    aws: ["NoSuchKey 404", "NotFound 404"],
    differs: [s3_differences.head_of_nothing],
  });

  semantic("is written by one of many that write it on If-None-Match: *", {
    relied_on_by: ["scripts/config/push-config.ts"],
    async observe(world) {
      const key = randomUUID();
      const writes = Array.from({ length: WRITERS }, (_, n) =>
        outcome(put(world, key, `${n}`, { IfNoneMatch: "*" })),
      );
      const results = await Promise.all(writes);
      const refused = results.filter((result) =>
        /^(PreconditionFailed|ConditionalRequestConflict)$/.test(result),
      );
      return { won: results.filter((result) => result === "done").length, refused: refused.length };
    },
    aws: { won: 1, refused: WRITERS - 1 },
    differs: [s3_differences.first_write],
  });

  semantic("is replaced on If-Match only while it is the one that was read", {
    relied_on_by: ["scripts/config/push-config.ts"],
    async observe(world) {
      const key = randomUUID();
      await put(world, key, "first");
      const { ETag } = await get(world, key);
      return [
        await outcome(put(world, key, "second", { IfMatch: ETag })),
        await outcome(put(world, key, "third", { IfMatch: ETag })),
        await text(world, key),
        await outcome(put(world, randomUUID(), "new", { IfMatch: ETag })),
      ];
    },
    aws: ["done", "PreconditionFailed", "second", "NoSuchKey"],
    differs: [s3_differences.matching_write],
  });

  semantic("that is unchanged is answered with 304 to a get on If-None-Match", {
    relied_on_by: ["lib/platform/config/config-source.ts"],
    async observe(world) {
      const key = randomUUID();
      await put(world, key, "first");
      const { ETag } = await get(world, key);
      const unchanged = await get(world, key, { IfNoneMatch: ETag }).then(
        () => "the object",
        (error) => error.$metadata?.httpStatusCode,
      );
      await put(world, key, "second");
      const changed = await get(world, key, { IfNoneMatch: ETag });
      return { unchanged, changed: changed.ETag !== ETag };
    },
    aws: { unchanged: 304, changed: true },
    differs: [s3_differences.unchanged_read],
  });

  semantic("is refused with another checksum than its bytes have, and what was there stays", {
    relied_on_by: ["lib/platform/blobs/s3-blobs.ts", "functions/gateway/create-upload.ts"],
    async observe(world) {
      const key = randomUUID();
      const wrong = { ChecksumSHA256: sha256("other") };
      await put(world, key, "first", { ChecksumSHA256: sha256("first") });
      const refused = await outcome(put(world, key, "second", wrong));
      const left = text(world, key, { abortSignal: AbortSignal.timeout(ANSWER_MS_MAX) });
      return { refused, left: await left.catch(() => "no answer") };
    },
    aws: { refused: "BadDigest", left: "first" },
    differs: [s3_differences.wrong_checksum],
  });

  semantic("gives the SHA-256 it was written with, and its length, to a head that asks for them", {
    relied_on_by: ["functions/gateway/artifact-links.ts", "functions/gateway/store-submission.ts"],
    async observe(world) {
      const key = randomUUID();
      await put(world, key, "first", { ChecksumSHA256: sha256("first") });
      const command = new HeadObjectCommand({ Bucket: world.bucket, Key: key, ChecksumMode: "ENABLED" });
      const { ContentLength, ChecksumSHA256 } = await world.s3.send(command);
      return { ContentLength, checksum: ChecksumSHA256 === sha256("first") };
    },
    aws: { ContentLength: 5, checksum: true },
    differs: [s3_differences.kept_checksum],
  });

  semantic("keeps the tags that its lifecycle rule goes by", {
    relied_on_by: [
      "lib/platform/table/retention.ts",
      "lib/platform/blobs/s3-blobs.ts",
      "lib/work/artifacts/standard-layout.ts",
    ],
    async observe(world) {
      const [Key, copy] = [randomUUID(), randomUUID()];
      const tags = async (key: string) =>
        (await world.s3.send(new GetObjectTaggingCommand({ Bucket: world.bucket, Key: key }))).TagSet;
      await put(world, Key, "first", { Tagging: "retention=blob" });
      await world.s3.send(
        new CopyObjectCommand({
          Bucket: world.bucket,
          Key: copy,
          CopySource: `${world.bucket}/${Key}`,
          Tagging: "retention=task",
          TaggingDirective: "REPLACE",
        }),
      );
      return [await tags(Key), await tags(copy)];
    },
    aws: [[{ Key: "retention", Value: "blob" }], [{ Key: "retention", Value: "task" }]],
    differs: [s3_differences.tags],
  });

  semantic("is copied whole, with the type and metadata of the copy; a copy of nothing is a 404", {
    relied_on_by: ["lib/work/artifacts/standard-layout.ts"],
    async observe(world) {
      const [from, to] = [randomUUID(), `tenants/acme/tasks/t/${randomUUID()}/a b.txt`];
      const { s3, bucket: Bucket } = world;
      const copy = (source: string) =>
        s3.send(
          new CopyObjectCommand({
            Bucket,
            Key: to,
            CopySource: encodeURI(`${Bucket}/${source}`),
            ContentType: "text/x-diff",
            Metadata: { traceparent: "copy" },
            MetadataDirective: "REPLACE",
          }),
        );
      await put(world, from, "first", { ContentType: "text/plain", Metadata: { traceparent: "original" } });
      await copy(from);
      const { ContentType, Metadata } = await get(world, to);
      return {
        body: await text(world, to),
        ContentType,
        traceparent: Metadata?.traceparent,
        of_nothing: await outcome(copy(randomUUID())),
      };
    },
    aws: { body: "first", ContentType: "text/x-diff", traceparent: "copy", of_nothing: "NoSuchKey" },
    differs: [s3_differences.copied_headers],
  });

  semantic("is gone once it is deleted, and deleting it again is done", {
    relied_on_by: ["scripts/artifacts-clean/stored-objects.ts"],
    async observe(world) {
      const Key = randomUUID();
      await put(world, Key, "first");
      const remove = () => outcome(world.s3.send(new DeleteObjectCommand({ Bucket: world.bucket, Key })));
      return [await remove(), await remove(), await outcome(get(world, Key))];
    },
    aws: ["done", "done", "NoSuchKey"],
    differs: [s3_differences.unknown_commands],
  });
});

describe("a bucket", () => {
  semantic("that is there answers a head, and one that is not is NotFound", {
    relied_on_by: ["functions/gateway/status-routes.ts"],
    async observe({ s3, bucket }) {
      const head = (Bucket: string) => outcome(s3.send(new HeadBucketCommand({ Bucket })));
      return [await head(bucket), await head(`absent-${randomUUID()}`)];
    },
    aws: ["done", "NotFound"],
    differs: [s3_differences.unknown_commands],
  });

  semantic("is closed to credentials that nobody issued", {
    relied_on_by: ["serverless.yml"],
    async observe(world) {
      const endpoint = await world.s3.config?.endpoint?.();
      if (!endpoint) throw new TypeError("the simulation has no endpoint and no credentials");
      const stranger = new S3Client({
        endpoint,
        region: "us-east-1",
        forcePathStyle: true,
        credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "unknown" },
      });
      const key = randomUUID();
      await put(world, key, "first");
      return outcome(get({ ...world, s3: stranger }, key));
    },
    aws: "InvalidAccessKeyId",
    differs: [s3_differences.credentials],
  });
});
