import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Context, SQSEvent, SQSHandler, SQSRecord } from "aws-lambda";
import { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { serveQueue } from "#lib/agents/agent/serve-queue.ts";
import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { nudge } from "#lib/platform/messages/send-message.ts";
import { countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { createTask, readLedger } from "#lib/work/tasks/task-store.ts";
import type { Workflow } from "#schemas/config/workflows.ts";
import { AdvancePayload } from "#schemas/messages/envelope.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";
import { realTable } from "#test/fakes/real-table.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";
import { advance } from "../../functions/orchestrator/advance.ts";
import { startSqsAndS3 } from "../../local/emulators/sqs-and-s3.ts";

const TENANT = "acme";
const SERVICES = ["orchestrator", "worker"];
const Anything = z.record(z.string(), z.unknown());

/** What a test's worker does with each step; it may throw. */
export type Work = (step: string) => { verdict: "passed" | "failed"; output?: Record<string, unknown> };

/** How far the stage's clock is ahead of this machine's, or of where it was made to stand. */
interface StageClock {
  ahead_ms: number;
  stands_at_ms?: number | undefined;
}

/** Handlers of further services, each with a queue of its own. */
type Others = Record<string, (platform: AgentPlatform) => SQSHandler>;

/** Orchestrator, one agent and their queues on the real emulators, pumped by hand. */
export async function replayStage(work: Work, others: Others = {}) {
  const services = [...SERVICES, ...Object.keys(others)];
  const directory = mkdtempSync(join(tmpdir(), "replay-"));
  const [store, emulator] = await Promise.all([realTable(), startSqsAndS3({ directory, port: 0 })]);
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const sqs = new SQSClient({ endpoint: emulator.url, region: "us-east-1", credentials });
  const urls = new Map<string, string>();
  for (const service of services) await createQueues(sqs, service, urls);
  const clock: StageClock = { ahead_ms: 0 };
  const platform = stagePlatform(store, sqs, urls, clock);
  const ports: ReplayPorts = { ...platform, table_name: store.table_name };
  const effects: string[] = [];
  const handlers: Record<string, SQSHandler> = {
    worker: workerOf(work, effects, platform),
    orchestrator: orchestratorOf(platform),
  };
  for (const [service, handlerOf] of Object.entries(others)) handlers[service] = handlerOf(platform);
  const pumpService = (name: string) => pumpOnce(sqs, urls.get(name)!, handlers[name]!);
  const pump = async (): Promise<void> => {
    for (let idle = 0; idle < 2; ) {
      const counts = await Promise.all(services.map(pumpService));
      idle = counts.some((count) => count > 0) ? 0 : idle + 1;
    }
  };
  return {
    ports,
    sqs,
    clock,
    effects,
    pump,
    pumpService,
    platform,
    ledger: async (task_id: string) => (await readLedger(TENANT, task_id, ports))!,
    async submit(definition: Workflow): Promise<TaskRecord> {
      const task = newTask(definition, platform);
      await createTask(task, platform.runtime.now(), ports);
      const parent = parseTraceparent(task.traceparent)!;
      await nudge({ ...task, parent }, "accepted", platform);
      return task;
    },
    /** What the sweeper does for one task. */
    async sweep(task_id: string): Promise<void> {
      const ledger = await readLedger(TENANT, task_id, ports);
      const parent = parseTraceparent(ledger!.task.traceparent)!;
      await nudge({ ...ledger!.task, parent }, "swept", platform);
    },
    /** Empties every queue, messages in flight too. */
    async drain(): Promise<void> {
      for (const QueueUrl of urls.values()) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    },
    async close() {
      sqs.destroy();
      await Promise.all([store.close(), emulator.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function createQueues(sqs: SQSClient, service: string, urls: Map<string, string>): Promise<void> {
  const create = async (QueueName: string, Attributes: Record<string, string> = {}) => {
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    urls.set(QueueName, QueueUrl);
    const found = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    return found.Attributes!.QueueArn;
  };
  const deadLetterTargetArn = await create(`${service}-dlq`);
  await create(service, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 20 }) });
}

function stagePlatform(
  store: Awaited<ReturnType<typeof realTable>>,
  sqs: SQSClient,
  urls: Map<string, string>,
  clock: StageClock,
): AgentPlatform {
  const runtime = { ...systemRuntime, now: () => (clock.stands_at_ms ?? Date.now()) + clock.ahead_ms };
  const blobs: BlobStore = fakeBlobStore();
  const { table_name } = store;
  const policy = retryPolicy({
    last_try_seconds_min: 0,
    attempts_max: 2,
    backoff_ms_base: 1,
    backoff_ms_max: 1,
    throttle_backoff_ms_base: 1,
  });
  const retention = { $schema: "", tasks_days: 1, blobs_days: 17, uploads_days: 2, orphans_days: 2 };
  const silent: Log = { info() {}, warn() {}, error() {}, with: () => silent };
  return {
    runtime,
    counts: countBuffer(runtime),
    table: store.table,
    sqs,
    claims: stepClaims({ ...store, runtime }),
    settings: {
      stage: "local",
      table_name,
      artifact_bucket: "none",
      lease_seconds: 10,
      shard: "0",
      service_version: "0",
      s3_force_path_style: true,
      config_directory: "configs",
    },
    retryPolicy: () => ({ value: policy, hash: "0".repeat(64) }),
    artifacts: () => ({ value: retention, hash: "0".repeat(64) }),
    blobsOf: () => blobs,
    queueUrl: (service) => urls.get(service)!,
    deadLetterQueueUrl: (service) => urls.get(`${service}-dlq`)!,
    logOf: () => silent,
  };
}

function workerOf(work: Work, effects: string[], platform: AgentPlatform): SQSHandler {
  const agent: Agent<typeof Anything, typeof Anything> = {
    name: "worker",
    input: Anything,
    output: Anything,
    async run(_input, { envelope }) {
      const result = work(envelope.step);
      effects.push(envelope.step);
      return result;
    },
  };
  return defineAgent(agent, () => platform);
}

function orchestratorOf(platform: AgentPlatform): SQSHandler {
  return serveQueue(
    "orchestrator",
    async ({ envelope, counters, log }) => {
      const { reason } = AdvancePayload.parse(envelope.payload);
      const ports = { ...platform, table_name: platform.settings.table_name, counters, log };
      await advance(
        { ...envelope, reason, redelivered: false },
        { ...ports, writeStandardLayout: async () => {} },
      );
    },
    () => platform,
  );
}

async function pumpOnce(sqs: SQSClient, QueueUrl: string, handler: SQSHandler): Promise<number> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] }),
  );
  if (Messages.length === 0) return 0;
  const Records = Messages.map(({ MessageId, ReceiptHandle, Body, Attributes }) => {
    return {
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes,
    } as unknown as SQSRecord;
  });
  const lambda = { functionName: "f", awsRequestId: "r", getRemainingTimeInMillis: () => 60_000 };
  const event: SQSEvent = { Records };
  const answer = await handler(event, lambda as unknown as Context, () => {});
  const returned = new Set((answer?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  for (const { messageId, receiptHandle } of Records) {
    if (returned.has(messageId)) continue;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receiptHandle }));
  }
  return Messages.length;
}

let tasks = 0;

function newTask(definition: Workflow, { runtime }: AgentPlatform): TaskRecord {
  tasks += 1;
  const now = runtime.now();
  const at = new Date(now).toISOString();
  const trace_id = runtime.hex(16);
  const blob = { key: "blobs/x", sha256: "0".repeat(64), bytes: 0 };
  return {
    tenant: TENANT,
    task_id: `task_${String(tasks).padStart(26, "0")}`,
    status: "accepted",
    spec: {
      workflow: "test",
      source: { kind: "archive", blob },
      repository: "r",
      profile: "default",
    } as never,
    definition,
    submission_hash: "0".repeat(64),
    trace_id,
    traceparent: `00-${trace_id}-${runtime.hex(8)}-01`,
    version: 1,
    created_at: at,
    updated_at: at,
    deadline_at: new Date(now + 3_600_000).toISOString(),
  };
}
