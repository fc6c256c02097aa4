import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { startSqsAndS3 } from "../../local/emulators/sqs-and-s3.ts";

const directory = temporaryDirectory("local-emulators");
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
let emulator: Awaited<ReturnType<typeof startSqsAndS3>>;
let sqs: SQSClient;
let s3: S3Client;

async function start() {
  emulator = await startSqsAndS3({ directory, port: 0 });
  const options = { endpoint: emulator.url, region: "us-east-1", credentials };
  sqs = new SQSClient(options);
  s3 = new S3Client({ ...options, forcePathStyle: true });
}

beforeAll(start);
afterAll(async () => {
  await emulator.close();
});

async function queue(name: string, attributes: Record<string, string> = {}) {
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  return { url: QueueUrl, arn: Attributes!.QueueArn! };
}

async function receive(QueueUrl: string, more: object = {}) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
      ...more,
    }),
  );
  return Messages;
}

describe("the local SQS", () => {
  it("listens on loopback only", () => {
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  it("gives a message back at once on a visibility of 0, with its receive count", async () => {
    const { url } = await queue("visibility");
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "again" }));
    const [first] = await receive(url);
    expect(await receive(url)).toEqual([]);
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: url,
        ReceiptHandle: first!.ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
    const [second] = await receive(url);
    expect(second).toMatchObject({ Body: "again", Attributes: { ApproximateReceiveCount: "2" } });
  });

  it("keeps MessageGroupId on a standard queue, and only where it was given", async () => {
    const { url } = await queue("fair");
    await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: [
          { Id: "1", MessageBody: "a", MessageGroupId: "tenant-a" },
          { Id: "2", MessageBody: "b" },
        ],
      }),
    );
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "c", MessageGroupId: "tenant-c" }));
    const groups = (await receive(url)).map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
    expect(groups).toEqual([
      ["a", "tenant-a"],
      ["b", undefined],
      ["c", "tenant-c"],
    ]);
  });

  it("moves dead letters back to their source and lists the move", async () => {
    const dead = await queue("work-dlq");
    const work = await queue("work", {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    });
    const sources = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url }));
    expect(sources.queueUrls).toEqual([work.url]);
    await sqs.send(new SendMessageCommand({ QueueUrl: work.url, MessageBody: "x", MessageGroupId: "t" }));
    await receive(work.url, { VisibilityTimeout: 0 });
    expect(await receive(work.url)).toEqual([]);
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: dead.arn }));
    expect(Results).toMatchObject([{ Status: "COMPLETED", ApproximateNumberOfMessagesMoved: 1 }]);
    expect(await receive(dead.url)).toEqual([]);
    const [moved] = await receive(work.url);
    expect(moved).toMatchObject({
      Body: "x",
      Attributes: { ApproximateReceiveCount: "1", MessageGroupId: "t" },
    });
  });

  it("refuses to move from a queue that is nobody's dead-letter queue", async () => {
    const { arn } = await queue("no-dlq");
    await expect(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn }))).rejects.toThrow(
      "must be configured as a Dead Letter Queue",
    );
  });

  it("keeps messages over a restart, frees those in flight, and forgets the deleted", async () => {
    const { url } = await queue("restart");
    for (const body of ["waiting", "in flight", "deleted"]) {
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageGroupId: "t" }));
    }
    const received = await receive(url, { VisibilityTimeout: 600 });
    const deleted = received.find(({ Body }) => Body === "deleted")!;
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: deleted.ReceiptHandle }));
    const [waiting] = received;
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: url,
        ReceiptHandle: waiting!.ReceiptHandle,
        VisibilityTimeout: 0,
      }),
    );
    await emulator.close();
    await start();
    const { url: url_now } = await queue("restart");
    expect(url_now.startsWith(emulator.url)).toBe(true);
    const bodies = (await receive(url_now)).map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
    expect(bodies).toEqual([
      ["waiting", "t"],
      ["in flight", "t"],
    ]);
  });
});

describe("the local S3", () => {
  const Bucket = "artifacts";
  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket })));
  const text = async (Key: string) =>
    (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
  const put = (Key: string, more: object = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: "first", ...more }));

  it("writes with If-None-Match: * once, and refuses the second time without touching the first", async () => {
    await put("once", { IfNoneMatch: "*" });
    await expect(put("once", { Body: "second", IfNoneMatch: "*" })).rejects.toMatchObject({
      name: "PreconditionFailed",
      $metadata: { httpStatusCode: 412 },
    });
    expect(await text("once")).toBe("first");
  });

  it("lets exactly one of many concurrent conditional writes win", async () => {
    const writes = Array.from({ length: 20 }, (_, index) =>
      put("race", { Body: `${index}`, IfNoneMatch: "*" }).then(
        () => index,
        () => undefined,
      ),
    );
    const winners = (await Promise.all(writes)).filter((index) => index !== undefined);
    expect(winners).toHaveLength(1);
    expect(await text("race")).toBe(`${winners[0]}`);
  });

  it("replaces on a matching If-Match and refuses on another", async () => {
    const { ETag } = await put("pointer");
    await expect(put("pointer", { Body: "no", IfMatch: '"0"' })).rejects.toMatchObject({
      name: "PreconditionFailed",
    });
    await put("pointer", { Body: "yes", IfMatch: ETag });
    expect(await text("pointer")).toBe("yes");
  });

  it("completes a multipart upload conditionally", async () => {
    await put("parts");
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: "part" }),
    );
    const complete = (more: object) =>
      s3.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key: "parts",
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
          ...more,
        }),
      );
    await expect(complete({ IfNoneMatch: "*" })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await complete({});
    expect(await text("parts")).toBe("part");
  });

  it("refuses a body that does not match its checksum", async () => {
    await expect(put("sum", { ChecksumSHA256: "A".repeat(43).concat("=") })).rejects.toMatchObject({
      name: "BadDigest",
    });
    await put("sum", { ChecksumAlgorithm: "SHA256" });
    expect(await text("sum")).toBe("first");
  });

  it("copies an object", async () => {
    await put("from", { ContentType: "text/plain", Metadata: { kind: "log" } });
    await s3.send(new CopyObjectCommand({ Bucket, Key: "to", CopySource: `${Bucket}/from` }));
    const copy = await s3.send(new GetObjectCommand({ Bucket, Key: "to" }));
    expect(copy).toMatchObject({ ContentType: "text/plain", Metadata: { kind: "log" } });
    expect(await copy.Body!.transformToString()).toBe("first");
  });

  it("takes bodies well over 11 MiB", async () => {
    const Body = Buffer.alloc(24 * 1024 * 1024, 7);
    await put("large", { Body });
    const large = await s3.send(new GetObjectCommand({ Bucket, Key: "large" }));
    expect(Buffer.from(await large.Body!.transformToByteArray()).equals(Body)).toBe(true);
  });

  it("does not mistake a tag set for the object", async () => {
    await put("tagged");
    const tagging = new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet: [] } });
    await expect(s3.send(tagging)).rejects.toMatchObject({ name: "NotImplemented" });
    expect(await text("tagged")).toBe("first");
  });

  it("takes a presigned PUT with its signed headers, and refuses it without them or late", async () => {
    const command = new PutObjectCommand({
      Bucket,
      Key: "upload",
      ContentType: "text/x-diff",
      ContentLength: 4,
      IfNoneMatch: "*",
    });
    const signer = new S3Client({
      endpoint: emulator.url,
      region: "us-east-1",
      credentials,
      forcePathStyle: true,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    const sign = (expiresIn: number, signingDate: Date) =>
      getSignedUrl(signer, command, {
        expiresIn,
        signingDate,
        signableHeaders: new Set(["content-type", "content-length"]),
        unhoistableHeaders: new Set(["if-none-match"]),
      });
    const send = (url: string, headers: Record<string, string>) =>
      fetch(url, { method: "PUT", body: "diff", headers });
    const headers = { "content-type": "text/x-diff", "if-none-match": "*" };
    const late = await send(await sign(60, new Date(Date.now() - 3_600_000)), headers);
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("Request has expired")]);
    const url = await sign(600, new Date());
    const bare = await send(url, { "content-type": "text/x-diff" });
    expect(bare.status).toBe(403);
    expect((await send(url, headers)).status).toBe(200);
    expect((await send(url, headers)).status).toBe(412);
    expect(await text("upload")).toBe("diff");
  });
});
