import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSEvent } from "aws-lambda";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { startSqsAndS3 } from "../../local/emulators/sqs-and-s3.ts";
import { type EventSourceMapping, type Poller, startPoller } from "../../local/event-source/poller.ts";
import { type MessageSource, sqsSource } from "../../local/event-source/sqs-source.ts";
import { stackLog } from "../../local/stack-log.ts";

const directory = temporaryDirectory("local-poller");
let emulator: Awaited<ReturnType<typeof startSqsAndS3>>;
let sqs: SQSClient;
let pollers: Poller[] = [];
const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 20_000, interval: 20 });

beforeAll(async () => {
  emulator = await startSqsAndS3({ directory, port: 0 });
  sqs = new SQSClient({
    endpoint: emulator.url,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
});
afterEach(async () => {
  await Promise.all(pollers.map((poller) => poller.stop(5_000)));
  pollers = [];
});
afterAll(async () => {
  await emulator.close();
});

/** A queue whose messages come back after a second, and its dead-letter queue. */
async function queues(name: string, receive_count_max: number) {
  const create = async (QueueName: string, Attributes: Record<string, string> = {}) => {
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    return { url: QueueUrl, arn: answer.Attributes!.QueueArn! };
  };
  const dead = await create(`${name}-dlq`);
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: dead.arn,
    maxReceiveCount: receive_count_max,
  });
  return { work: await create(name, { VisibilityTimeout: "1", RedrivePolicy }), dead };
}

function poll(
  queue: { url: string; arn: string },
  invoke: (event: SQSEvent) => Promise<unknown>,
  more: Partial<EventSourceMapping> = {},
  source: MessageSource = sqsSource(sqs, queue.url),
) {
  const mapping = {
    function_key: "fixture",
    queue_arn: queue.arn,
    batch_size: 10,
    batch_window_seconds: 0,
    concurrency: 1,
    reports_failures: true,
    ...more,
  };
  const lines: string[] = [];
  const log = stackLog({}, (line) => lines.push(line));
  const poller = startPoller(mapping, { source, invoke, log });
  pollers.push(poller);
  return { poller, lines };
}

async function send(QueueUrl: string, ...bodies: string[]) {
  await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: bodies.map((MessageBody, index) => ({ Id: `${index}`, MessageBody })),
    }),
  );
}

async function left(QueueUrl: string) {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  return Object.values(Attributes).reduce((sum, value) => sum + Number(value), 0);
}

const failing = (event: SQSEvent, body: string) => ({
  batchItemFailures: event.Records.filter((record) => record.body === body).map(({ messageId }) => ({
    itemIdentifier: messageId,
  })),
});

describe("the local event source", () => {
  it("hands over records as Lambda does", async () => {
    const { work } = await queues("shape", 5);
    const events: SQSEvent[] = [];
    poll(work, async (event) => void events.push(event));
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: work.url,
        MessageBody: "hello",
        MessageGroupId: "tenant-a",
        MessageAttributes: {
          kind: { DataType: "String", StringValue: "test" },
          raw: { DataType: "Binary", BinaryValue: Buffer.from("bytes") },
        },
      }),
    );
    await until(() => events.length === 1);
    expect(events[0]!.Records).toEqual([
      {
        messageId: expect.any(String),
        receiptHandle: expect.any(String),
        body: "hello",
        attributes: expect.objectContaining({
          ApproximateReceiveCount: "1",
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          MessageGroupId: "tenant-a",
        }),
        messageAttributes: {
          kind: { stringValue: "test", stringListValues: [], binaryListValues: [], dataType: "String" },
          raw: { binaryValue: "Ynl0ZXM=", stringListValues: [], binaryListValues: [], dataType: "Binary" },
        },
        md5OfBody: "5d41402abc4b2a76b9719d911017c592",
        md5OfMessageAttributes: expect.any(String),
        eventSource: "aws:sqs",
        eventSourceARN: work.arn,
        awsRegion: "us-east-1",
      },
    ]);
  });

  it("deletes the delivered of a batch and keeps exactly the failed", async () => {
    const { work, dead } = await queues("partial", 50);
    const seen: string[] = [];
    await send(work.url, "a", "bad", "c");
    poll(work, async (event) => {
      seen.push(...event.Records.map(({ body }) => body));
      return failing(event, "bad");
    });
    await until(() => seen.filter((body) => body === "bad").length === 3);
    expect(seen.filter((body) => body !== "bad").sort()).toEqual(["a", "c"]);
    expect([await left(work.url), await left(dead.url)]).toEqual([1, 0]);
  });

  it("sends a poison message to the dead-letter queue after maxReceiveCount, holding up nobody", async () => {
    const { work, dead } = await queues("poison", 2);
    const seen: string[] = [];
    await send(work.url, "poison", "1", "2");
    poll(work, async (event) => {
      seen.push(...event.Records.map(({ body }) => body));
      return failing(event, "poison");
    });
    await until(() => seen.includes("2"));
    await send(work.url, "3", "4");
    await until(() => seen.includes("4"));
    await vi.waitUntil(async () => (await left(dead.url)) === 1, { timeout: 20_000 });
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead.url }));
    expect(Messages[0]!.Body).toBe("poison");
    expect(seen.filter((body) => body === "poison")).toHaveLength(2);
    expect(seen.filter((body) => body !== "poison").sort()).toEqual(["1", "2", "3", "4"]);
    expect(await left(work.url)).toBe(0);
  });

  it.each([
    ["the function throws", () => Promise.reject(new Error("boom")), "FUNCTION_THREW"],
    [
      "the answer names an unknown message",
      async () => ({ batchItemFailures: [{ itemIdentifier: "no" }] }),
      "ANSWER_UNUSABLE",
    ],
  ])("brings the whole batch back when %s, and says so in the log", async (name, fail, code) => {
    const { work } = await queues(`whole-${name.length}`, 50);
    const batches: string[][] = [];
    await send(work.url, "a", "b");
    const { lines } = poll(work, async (event) => {
      batches.push(event.Records.map(({ body }) => body).sort());
      return batches.length === 1 ? fail() : undefined;
    });
    await until(() => batches.flat().length === 4);
    expect(batches.flat().sort()).toEqual(["a", "a", "b", "b"]);
    await vi.waitUntil(async () => (await left(work.url)) === 0, { timeout: 20_000 });
    expect(lines.map((line) => JSON.parse(line).code)).toEqual([code]);
  });

  it("ignores batchItemFailures where the mapping does not ask for them", async () => {
    const { work } = await queues("unreported", 50);
    await send(work.url, "a");
    poll(work, async (event) => failing(event, "a"), { reports_failures: false });
    await vi.waitUntil(async () => (await left(work.url)) === 0, { timeout: 20_000 });
  });

  it("never runs more than its concurrency, and uses it", async () => {
    const { work } = await queues("parallel", 50);
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    await send(work.url, "a", "b", "c", "d");
    poll(
      work,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => release.push(resolve));
        running -= 1;
      },
      { batch_size: 1, concurrency: 2 },
    );
    for (let released = 0; released < 4; released += 1) {
      await until(() => release.length > 0);
      if (released === 0) await until(() => running === 2);
      release.shift()!();
    }
    await vi.waitUntil(async () => (await left(work.url)) === 0, { timeout: 20_000 });
    expect(most).toBe(2);
  });

  it("gathers a batch over its window", async () => {
    const { work } = await queues("window", 50);
    const batches: number[] = [];
    poll(work, async ({ Records }) => void batches.push(Records.length), {
      batch_size: 20,
      batch_window_seconds: 8,
    });
    await send(work.url, ..."abcdefghij");
    await send(work.url, ..."klmnopqrst");
    await until(() => batches.length > 0);
    expect(batches).toEqual([20]);
  });

  it("outlives an endpoint that fails, and goes on when it answers again", async () => {
    const { work } = await queues("outage", 50);
    const real = sqsSource(sqs, work.url);
    let outages = 2;
    const source: MessageSource = {
      receive: async (...parameters) => {
        outages -= 1;
        if (outages >= 0) throw new Error("connect ECONNREFUSED");
        return real.receive(...parameters);
      },
      delete: real.delete,
    };
    const seen: string[] = [];
    await send(work.url, "a");
    const { lines } = poll(work, async ({ Records }) => void seen.push(Records[0]!.body), {}, source);
    await until(() => seen.length === 1);
    expect(lines.map((line) => JSON.parse(line).code)).toEqual(["QUEUE_UNREACHABLE", "QUEUE_UNREACHABLE"]);
  });

  it("lets a running invocation finish when stopped, within the time it is given", async () => {
    const { work } = await queues("stop", 50);
    let release = () => {};
    let started = false;
    await send(work.url, "a");
    const { poller } = poll(work, async () => {
      started = true;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await until(() => started);
    expect(await poller.stop(10)).toBe(false);
    release();
    expect(await poller.stop(10_000)).toBe(true);
    expect(await left(work.url)).toBe(0);
  });
});
