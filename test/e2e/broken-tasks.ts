import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "vitest";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { s3Client } from "#lib/platform/aws/clients.ts";
import { makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { nudge } from "#lib/platform/messages/send-message.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { createTask, readLedger } from "#lib/work/tasks/task-store.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { ApiClient } from "./client.ts";
import { tinySource } from "./example.ts";

let made = 0;
const portsOf = (platform: AgentPlatform) => ({ ...platform, table_name: platform.settings.table_name });

/** A task like one that ran, accepted without the gateway. */
async function anotherTask(like: TaskRecord, platform: AgentPlatform): Promise<TaskRecord> {
  made += 1;
  const now = Date.now();
  const [at, trace_id] = [new Date(now).toISOString(), platform.runtime.hex(16)];
  const { tenant, spec, definition, submission_hash } = like;
  const task: TaskRecord = {
    ...{ tenant, spec, definition, submission_hash, trace_id },
    task_id: `task_${String(made).padStart(26, "0")}`,
    status: "accepted",
    traceparent: `00-${trace_id}-${platform.runtime.hex(8)}-01`,
    version: 1,
    created_at: at,
    updated_at: at,
    deadline_at: new Date(now + 600_000).toISOString(),
  };
  await createTask(task, now + 300_000, portsOf(platform));
  return task;
}

export interface Broken {
  tasks: TaskRecord[];
  mend(): Promise<void>;
}

/** Tasks of a tenant that fail because their source was deleted, and what brings it back. */
export async function brokenTasks(
  api: ApiClient,
  tenant: string,
  count: number,
  platform: AgentPlatform,
): Promise<Broken> {
  const passed = await api.submit({ workflow: "buildtest", source: tinySource(true), test: "node --test" });
  expect((await api.ended(passed.task_id)).verdict).toBe("passed");
  const model = (await readLedger(tenant, passed.task_id, portsOf(platform)))!.task;
  const { source } = model.spec;
  if (source.kind !== "archive") throw new Error("the source is stored");
  const place = { Bucket: platform.settings.artifact_bucket, Key: source.blob.key };
  const kept = await (await s3Client().send(new GetObjectCommand(place))).Body!.transformToByteArray();
  await s3Client().send(new DeleteObjectCommand(place));
  const tasks: TaskRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const task = await anotherTask(model, platform);
    await nudge({ ...task, parent: parseTraceparent(task.traceparent)! }, "accepted", platform);
    tasks.push(task);
  }
  for (const { task_id } of tasks) expect((await api.ended(task_id)).error?.code).toBe("BLOB_MISSING");
  return {
    tasks,
    mend: async () => void (await s3Client().send(new PutObjectCommand({ ...place, Body: kept }))),
  };
}

/** The payload of a task's step `buildtest`, as the orchestrator would send it. */
export function payloadOf({ spec: { source, test, build, profile } }: TaskRecord): Record<string, unknown> {
  return JSON.parse(JSON.stringify({ source, build, test, profile }));
}

/** A task whose step `buildtest` is sent with fields that its agent's schema refuses. */
export async function misspeltTask(like: TaskRecord, platform: AgentPlatform): Promise<TaskRecord> {
  const task = await anotherTask(like, platform);
  const { task_id, deadline_at, tenant } = task;
  const labels = { service: "buildtest", role: "worker", shard: platform.settings.shard, tenant };
  const parent = parseTraceparent(task.traceparent)!;
  const step = { task_id, step: "buildtest", round: 0, attempt: 0, deadline_at, parent };
  const payload = { ...payloadOf(task), tests: 1, api_token: "hunter2hunter2" };
  const envelope = makeEnvelope({ ...labels, ...step, payload }, platform.runtime);
  const QueueUrl = platform.queueUrl("buildtest");
  await platform.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(envelope) }));
  return task;
}
