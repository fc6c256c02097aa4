import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { s3Client } from "#lib/platform/aws/clients.ts";
import { makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { nudge } from "#lib/platform/messages/send-message.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { createTask, readLedger } from "#lib/work/tasks/task-store.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { ApiClient } from "../e2e/client.ts";
import { tinySource } from "../e2e/example.ts";

/** Fills the dead-letter queue of `buildtest` of the stack whose environment this process has entered. */
export function failingTasks() {
  const platform = awsAgentPlatform();
  const ports = { ...platform, table_name: platform.settings.table_name };
  let made = 0;

  async function anotherTask(like: TaskRecord): Promise<TaskRecord> {
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
      deadline_at: new Date(now + 3_600_000).toISOString(),
    };
    await createTask(task, now + 3_600_000, ports);
    return task;
  }

  return {
    /** Tasks of a tenant whose source was deleted; `mend` brings it back. */
    async withoutSource(api: ApiClient, tenant: string, count: number) {
      const submission = { workflow: "buildtest", source: tinySource(true), test: "node --test" };
      const { task_id } = await api.submit(submission);
      await api.ended(task_id);
      const model = (await readLedger(tenant, task_id, ports))?.task;
      if (model?.spec.source.kind !== "archive") throw new Error("the source is stored");
      const place = { Bucket: platform.settings.artifact_bucket, Key: model.spec.source.blob.key };
      const kept = await s3Client().send(new GetObjectCommand(place));
      const bytes = await kept.Body?.transformToByteArray();
      await s3Client().send(new DeleteObjectCommand(place));
      const tasks = await Promise.all(Array.from({ length: count }, () => anotherTask(model)));
      for (const task of tasks) {
        const parent = parseTraceparent(task.traceparent);
        if (parent) await nudge({ ...task, parent }, "accepted", platform);
      }
      for (const task of tasks) await api.ended(task.task_id);
      return {
        tasks,
        mend: async () => void (await s3Client().send(new PutObjectCommand({ ...place, Body: bytes }))),
      };
    },

    /** Messages for a task like the given one whose input has another shape than the agent takes. */
    async withWrongInput(like: TaskRecord, count: number, extra: Record<string, unknown>): Promise<void> {
      for (let index = 0; index < count; index += 1) {
        const { tenant, task_id, deadline_at, traceparent, spec } = await anotherTask(like);
        const { source, build, test, profile } = spec;
        const parent = parseTraceparent(traceparent);
        if (!parent) throw new Error("a task has a trace");
        const labels = { service: "buildtest", role: "worker", shard: platform.settings.shard, tenant };
        const step = { task_id, step: "buildtest", round: 0, attempt: 0, deadline_at, parent };
        const payload = JSON.parse(JSON.stringify({ source, build, test, profile, ...extra }));
        const envelope = makeEnvelope({ ...labels, ...step, payload }, platform.runtime);
        const MessageBody = JSON.stringify(envelope);
        await platform.sqs.send(
          new SendMessageCommand({ QueueUrl: platform.queueUrl("buildtest"), MessageBody }),
        );
      }
    },

    /** Messages that no agent can read: they belong to no tenant. */
    async unreadable(count: number): Promise<void> {
      const QueueUrl = platform.queueUrl("buildtest");
      await Promise.all(
        Array.from({ length: count }, () =>
          platform.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "no envelope" })),
        ),
      );
    },
  };
}
