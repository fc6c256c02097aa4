import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { s3Client } from "#lib/platform/aws/clients.ts";
import { makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { nudge } from "#lib/platform/messages/send-message.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { createTask, readLedger } from "#lib/work/tasks/task-store.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { enterEnvironment } from "../enter-environment.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const { stack, api } = testStack();
let platform: AgentPlatform;
beforeAll(() => {
  enterEnvironment(stack.data_dir);
  platform = awsAgentPlatform();
});

const run = promisify(execFile);
/** What an operator types, with --json. */
async function dlq(...words: string[]): Promise<{ exit: number; json: never }> {
  const parameters = ["scripts/dlq.ts", ...words, "--data-dir", stack.data_dir, "--json"];
  const { stdout, code } = await run(process.execPath, parameters).then(
    (done) => ({ ...done, code: 0 }),
    (error) => error,
  );
  return { exit: code, json: JSON.parse(stdout) as never };
}

let made = 0;
const ports = () => ({ ...platform, table_name: platform.settings.table_name });

/** A task like one that ran, accepted without the gateway, which would store its source again. */
async function anotherTask(like: string): Promise<TaskRecord> {
  const found = await readLedger("local", like, ports());
  const { tenant, spec, definition, submission_hash } = found!.task;
  made += 1;
  const now = Date.now();
  const [at, trace_id] = [new Date(now).toISOString(), platform.runtime.hex(16)];
  const task: TaskRecord = {
    tenant,
    spec,
    definition,
    submission_hash,
    task_id: `task_${String(made).padStart(26, "0")}`,
    status: "accepted",
    trace_id,
    traceparent: `00-${trace_id}-${platform.runtime.hex(8)}-01`,
    version: 1,
    created_at: at,
    updated_at: at,
    deadline_at: new Date(now + 600_000).toISOString(),
  };
  await createTask(task, now + 300_000, ports());
  return task;
}

async function passedTask(test: string): Promise<TaskRecord> {
  const { task_id } = await api.submit({ workflow: "buildtest", source: tinySource(true), test });
  expect((await api.ended(task_id)).verdict).toBe("passed");
  return (await readLedger("local", task_id, ports()))!.task;
}

const names = ({ artifacts }: TaskView) => artifacts.map(({ path }) => path).sort();

describe("the operator's replay, by the script", () => {
  it("mends a task whose source was missing, and changes nothing the second time", async () => {
    const model = await passedTask("node --test");
    const { source } = model.spec;
    if (source.kind !== "archive") throw new Error("the source is stored");
    const place = { Bucket: platform.settings.artifact_bucket, Key: source.blob.key };
    const kept = await (await s3Client().send(new GetObjectCommand(place))).Body!.transformToByteArray();
    await s3Client().send(new DeleteObjectCommand(place));

    const task = await anotherTask(model.task_id);
    await nudge({ ...task, parent: parseTraceparent(task.traceparent)! }, "accepted", platform);
    const failed = await api.ended(task.task_id);
    expect(failed).toMatchObject({ status: "failed", verdict: "error", error: { code: "BLOB_MISSING" } });

    const { json: listed } = await dlq("list", "--code", "BLOB_MISSING", "--service", "buildtest");
    const { groups, cases } = listed as {
      groups: { count: number }[];
      cases: { id: string; failure: unknown }[];
    };
    expect(groups).toMatchObject([{ count: 1, code: "BLOB_MISSING" }]);
    expect(cases[0]!.failure).toMatchObject({ task_id: task.task_id, trace_id: task.trace_id });
    const { json: shown } = await dlq("show", cases[0]!.id);
    expect(shown).toMatchObject([{ task: { status: "failed" }, plan: { kind: "rearm" } }]);
    const { json: dry } = await dlq("replay", "--all", "--dry-run");
    expect(dry).toMatchObject([{ did: "would rearm" }]);
    expect((await api.ended(task.task_id)).status).toBe("failed");

    await s3Client().send(new PutObjectCommand({ ...place, Body: kept }));
    const first = await dlq("replay", cases[0]!.id.slice(0, 12));
    expect(first).toMatchObject({ exit: 0, json: [{ did: "sent" }] });
    const ended = await api.ended(task.task_id);
    expect(ended, JSON.stringify(ended.error)).toMatchObject({
      status: "succeeded",
      verdict: "passed",
      trace_id: task.trace_id,
    });
    const { body: healthy } = await api.request<TaskView>("GET", `/api/tasks/${model.task_id}`);
    expect(names(ended)).toEqual(names(healthy));

    const { body: trail } = await api.request("GET", "/api/audit?action=dlq.replay");
    expect(trail).toMatchObject({
      entries: [
        {
          outcome: "done",
          subject: expect.stringMatching(/^aws:./),
          detail: { sent: 1, messages: cases[0]!.id },
        },
      ],
    });
    const { body: orders } = await api.request("GET", "/api/audit?action=dlq&trail=platform");
    expect(orders).toMatchObject({ entries: [{ action: "dlq.replay", outcome: "ordered" }] });

    expect(await dlq("replay", "--all")).toMatchObject({ exit: 0, json: [] });
    const { body: after } = await api.request<TaskView>("GET", `/api/tasks/${task.task_id}`);
    expect(after.revision).toBe(ended.revision);
  });
});

describe("100 copies of one message", () => {
  it("have one effect, and 99 count as blocked", async () => {
    const blocked = async () => {
      const { body } = await api.request<{ services: Record<string, Record<string, number>> }>(
        "GET",
        "/api/metrics/summary",
      );
      const { duplicates_blocked = 0, steps_passed = 0 } = body.services.buildtest ?? {};
      return { duplicates_blocked, steps_passed };
    };
    const model = await passedTask("node --test");
    const before = await blocked();
    const task = await anotherTask(model.task_id);
    const { source, test, build, profile } = task.spec;
    const payload = JSON.parse(JSON.stringify({ source, build, test, profile }));
    const parent = parseTraceparent(task.traceparent)!;
    const labels = {
      service: "buildtest",
      role: "worker",
      shard: platform.settings.shard,
      tenant: task.tenant,
    };
    const place = { task_id: task.task_id, step: "buildtest", round: 0, attempt: 0 };
    const envelope = makeEnvelope(
      { ...labels, ...place, payload, deadline_at: task.deadline_at, parent },
      platform.runtime,
    );
    const message = { QueueUrl: platform.queueUrl("buildtest"), MessageBody: JSON.stringify(envelope) };
    await Promise.all(Array.from({ length: 100 }, () => platform.sqs.send(new SendMessageCommand(message))));

    expect((await api.ended(task.task_id)).status).toBe("succeeded");
    const left = async () => {
      const { Attributes = {} } = await platform.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: message.QueueUrl, AttributeNames: ["All"] }),
      );
      return (
        Number(Attributes.ApproximateNumberOfMessages) +
        Number(Attributes.ApproximateNumberOfMessagesNotVisible)
      );
    };
    await expect.poll(left, { timeout: 180_000, interval: 500 }).toBe(0);
    await expect
      .poll(async () => (await blocked()).duplicates_blocked - before.duplicates_blocked, { timeout: 30_000 })
      .toBe(99);
    expect((await blocked()).steps_passed - before.steps_passed).toBe(1);
    const { steps } = (await readLedger("local", task.task_id, ports()))!;
    expect(steps).toMatchObject([{ attempts: 1, status: "completed" }]);
  });
});

/** What SQS lets through of what acts on a terminal or on the order of text. */
const EVIL = "x\u009b2J\u202e\u2028\u200b\r\n✓ passed\nCOUNT";
const ON_TERMINAL =
  "data:text/javascript,for (const stream of [process.stdout, process.stderr]) Object.assign(stream, { isTTY: true, columns: 200 })";

describe("dead letters with hostile text", () => {
  it("act on no terminal and forge no line, in a pipe neither", async () => {
    const attribute = { DataType: "String", StringValue: EVIL };
    const sent = await platform.sqs.send(
      new SendMessageCommand({
        QueueUrl: platform.deadLetterQueueUrl("buildtest"),
        MessageBody: EVIL,
        MessageAttributes: { tenant: attribute, failure_id: attribute, code: attribute },
      }),
    );
    const commands = [
      ["list"],
      ["show", sent.MessageId ?? ""],
      ["replay", "--all", "--dry-run"],
      ["x\x1b[31m"],
    ];
    for (const words of commands) {
      for (const before of [["--import", ON_TERMINAL], []]) {
        const parameters = [...before, "scripts/dlq.ts", ...words, "--data-dir", stack.data_dir];
        const { stdout, stderr } = await run(process.execPath, parameters).catch((error) => error);
        // Its own redrawing of the line of progress is left out.
        const shown = `${stdout}${stderr}`.replaceAll(/\p{Cc}\[\d+A\p{Cc}\[0J/gu, "");
        if (words[0] !== "x\x1b[31m") {
          expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          expect(shown).toContain("\\x9b2J\\u{202e}");
        } else if (before.length > 0) expect(shown).toContain("\\x1b[31m");
        expect(shown.split("\n").filter((line) => /^(✓|COUNT$)/.test(line))).toEqual([]);
      }
    }
  });
});
