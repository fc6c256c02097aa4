import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { issueApiKey } from "#lib/http/auth/api-key.ts";
import { tableClient } from "#lib/platform/aws/clients.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { type Ledger, readLedger } from "#lib/work/tasks/task-store.ts";
import type { Scope } from "#schemas/records/api-key.ts";

/** Number of messages by queue, those in flight or delayed among them; queues without any left out. */
type QueueCounts = Record<string, number>;

/** The stack's table, bucket and queues, as an operator reaches them beside the API. */
export interface Operator {
  issueKey(tenant: string): Promise<string>;
  ledger(tenant: string, task_id: string): Promise<Ledger | undefined>;
  queues(): Promise<{ queues: QueueCounts; dead_letters: QueueCounts }>;
  /** Path below the task's place in the bucket → SHA-256 of what is there. */
  layout(tenant: string, task_id: string): Promise<Map<string, string>>;
  close(): void;
}

/** Reaches the stack on `data_dir`, which has told there where its emulators listen. */
export function reachStack(data_dir: string): Operator {
  const facts: Record<string, string> = JSON.parse(readFileSync(join(data_dir, "environment.json"), "utf8"));
  const common = {
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 5,
  };
  const endpoint = (service: string) => ({ endpoint: facts[`AWS_ENDPOINT_URL_${service}`] ?? "" });
  const table = tableClient({ ...common, ...endpoint("DYNAMODB") });
  const sqs = new SQSClient({ ...common, ...endpoint("SQS") });
  const s3 = new S3Client({ ...common, ...endpoint("S3"), forcePathStyle: true });
  const ports = { table, table_name: facts.TABLE_NAME ?? "", runtime: systemRuntime };
  const bucket = facts.ARTIFACT_BUCKET ?? "";
  return {
    async issueKey(tenant) {
      const pepper = facts.API_KEY_PEPPER ?? "";
      const scopes: Scope[] = ["submit", "read"];
      const wish = { tenant, name: "chaos", scopes, created_by: "local" };
      return (await issueApiKey(wish, { ...ports, pepper })).key;
    },
    ledger: (tenant, task_id) => readLedger(tenant, task_id, ports),
    async queues() {
      const count = (prefix: string) => countMessages(sqs, facts, prefix);
      return { queues: await count("QUEUE_URL_"), dead_letters: await count("DLQ_URL_") };
    },
    layout: (tenant, task_id) => readLayout(s3, bucket, `tenants/${tenant}/tasks/${task_id}/`),
    close: () => {
      for (const client of [sqs, s3]) client.destroy();
    },
  };
}

async function countMessages(
  sqs: SQSClient,
  facts: Record<string, string>,
  prefix: string,
): Promise<QueueCounts> {
  const counts: QueueCounts = {};
  for (const [name, QueueUrl] of Object.entries(facts)) {
    if (!name.startsWith(prefix)) continue;
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          "ApproximateNumberOfMessages",
          "ApproximateNumberOfMessagesNotVisible",
          "ApproximateNumberOfMessagesDelayed",
        ],
      }),
    );
    const messages = Object.values(Attributes).reduce((sum, value) => sum + Number(value), 0);
    if (messages > 0) counts[name.slice(prefix.length).toLowerCase()] = messages;
  }
  return counts;
}

async function readLayout(s3: S3Client, Bucket: string, Prefix: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
    for (const { Key = "" } of page.Contents ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      hashes.set(Key.slice(Prefix.length), sha256((await Body?.transformToByteArray()) ?? new Uint8Array()));
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return hashes;
}
