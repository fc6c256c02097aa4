import { rmSync } from "node:fs";
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, it } from "vitest";
import { Envelope } from "#schemas/messages/envelope.ts";
import { openDataDirectory } from "../../local/data-directory.ts";
import { startEmulators } from "../../local/emulators/start-emulators.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { developmentClient, queues } from "./client.ts";
import { exampleSource, FIX, tinySource } from "./example.ts";

let stack: Stack | undefined;
afterAll(async () => {
  await stack?.stop();
  if (stack) rmSync(stack.data_dir, { recursive: true, force: true });
});

const TEST = "node --test --test-reporter=tap";
const SERVICES = ["orchestrator", "indexing", "codegen", "buildtest", "sandbox"];
const TASKS = 24;

const submissions = [
  { workflow: "change", source: exampleSource(), change: { kind: "patch", diff: FIX }, test: TEST },
  { workflow: "buildtest", source: tinySource(true), build: "sleep 1", test: TEST },
  { workflow: "run", source: tinySource(true), command: "sleep 1" },
  { workflow: "index", source: tinySource(true) },
];

interface Found {
  queue: string;
  body: string;
  attributes: Record<string, string | undefined>;
}

/** Everything in a queue, once. */
async function drain(sqs: SQSClient, QueueName: string): Promise<Found[]> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const found: Found[] = [];
  for (;;) {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
        WaitTimeSeconds: 0,
      }),
    );
    if (!Messages?.length) return found;
    for (const { Body = "", MessageAttributes = {} } of Messages) {
      const entries = Object.entries(MessageAttributes).map(([name, value]) => [name, value.StringValue]);
      found.push({ queue: QueueName, body: Body, attributes: Object.fromEntries(entries) });
    }
  }
}

describe("every message in every queue", () => {
  it("has a valid trace, and one without ends in its DLQ as TRACE_MISSING", async () => {
    stack = await startStack();
    const api = developmentClient(stack.url, stack.data_dir);
    const accepted = await Promise.all(
      Array.from({ length: TASKS }, (_, n) => api.submit(submissions[n % submissions.length])),
    );
    const traces = new Map(accepted.map(({ task_id, trace_id }) => [task_id, trace_id]));

    // A message as ours would be, but for its trace.
    const { sqs, queueUrl, deadLetterQueueUrl } = queues(stack.data_dir);
    const { task_id } = accepted[0]!;
    const hash = "0".repeat(64);
    const untraced = {
      schema_version: 1,
      message_id: crypto.randomUUID(),
      ...{ service: "codegen", role: "worker", shard: "0", tenant: "local", task_id, step: "codegen" },
      ...{ round: 0, attempt: 0, idempotency_key: hash, source_hash: hash, payload: {} },
      issued_at: "2026-01-01T00:00:00.000Z",
      deadline_at: "2999-01-01T00:00:00.000Z",
    };
    const body = JSON.stringify(untraced);
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl("codegen"), MessageBody: body }));
    const dead_letters = {
      QueueUrl: deadLetterQueueUrl("codegen"),
      WaitTimeSeconds: 20,
      VisibilityTimeout: 1,
      MessageAttributeNames: ["All"],
    };
    const { Messages } = await sqs.send(new ReceiveMessageCommand(dead_letters));
    expect(Messages?.[0]?.Body).toBe(body);
    expect(Messages?.[0]?.MessageAttributes?.code?.StringValue).toBe("TRACE_MISSING");
    sqs.destroy();

    // A power cut in the middle of it all; then nobody receives but this test.
    stack.kill();
    const data = openDataDirectory(stack.data_dir);
    const emulators = await startEmulators(data, 0);
    const client = new SQSClient({
      endpoint: emulators.sqs_and_s3_url,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    const names = SERVICES.flatMap((one) => [one, `${one}-dlq`]).map(
      (one) => `distributed-agents-local-${one}`,
    );
    const found = (await Promise.all(names.map((name) => drain(client, name)))).flat();
    client.destroy();
    await emulators.close();
    data.release();

    const ours = found.filter((message) => message.body !== body);
    expect(found.length).toBeGreaterThan(ours.length);
    expect(ours.length).toBeGreaterThan(0);
    for (const message of ours) {
      const envelope = Envelope.parse(JSON.parse(message.body));
      expect(envelope.trace_id, message.queue).toBe(traces.get(envelope.task_id));
      if (!message.queue.endsWith("-dlq")) expect(message.attributes.traceparent).toBe(envelope.traceparent);
    }
  });
});
