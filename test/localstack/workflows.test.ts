import { createHash } from "node:crypto";
import { CloudFormationClient, DescribeStackResourcesCommand } from "@aws-sdk/client-cloudformation";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, ListMessageMoveTasksCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { s3Client, sqsClient } from "#lib/platform/aws/clients.ts";
import { nudge } from "#lib/platform/messages/send-message.ts";
import { deadLetterQueueUrl, queueServices, queueUrl } from "#lib/platform/settings/environment.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { createTask, readLedger } from "#lib/work/tasks/task-store.ts";
import { ArtifactMeta } from "#schemas/artifacts/artifact-meta.ts";
import { ArtifactIndex, type TaskView } from "#schemas/http/task-view.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { exampleSource, FIX, tinySource } from "../e2e/example.ts";
import { enterEnvironment } from "../enter-environment.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
let platform: AgentPlatform;
beforeAll(async () => {
  stage = await startStage();
  enterEnvironment(stage.stack.data_dir);
  platform = awsAgentPlatform();
});
afterAll(() => stage.end());

const TEST = "node --test --test-reporter=tap";

async function run(submission: object): Promise<TaskView> {
  const { task_id } = await stage.api.submit(submission);
  const view = await stage.api.ended(task_id);
  await expectWholeArtifacts(view);
  return view;
}

/** Every artifact as its listing says, each with its meta file, and all of them in the index. */
async function expectWholeArtifacts(view: TaskView): Promise<void> {
  const paths = view.artifacts.map(({ path }) => path);
  expect(paths).toContain("task.json");
  for (const { path, sha256, bytes } of view.artifacts) {
    const content = await stage.api.artifact(view.task_id, path);
    const seen = [content.byteLength, createHash("sha256").update(content).digest("hex")];
    expect(seen, path).toEqual([bytes, sha256]);
    if (!path.endsWith(".meta.json")) expect(paths).toContain(`${path}.meta.json`);
    else expect(ArtifactMeta.parse(JSON.parse(content.toString("utf8"))).trace_id).toBe(view.trace_id);
  }
  const { body } = await stage.api.request("GET", `/api/artifacts/index?task=${view.task_id}`);
  const { entries } = ArtifactIndex.parse(body);
  expect(entries.map(({ step }) => step).sort()).toEqual(view.steps.map(({ step }) => step).sort());
}

describe("the stage localstack", () => {
  it("has what the packaged template declares, made by CloudFormation", async () => {
    const { StackResources = [] } = await new CloudFormationClient().send(
      new DescribeStackResourcesCommand({ StackName: "distributed-agents-localstack" }),
    );
    const made = StackResources.filter(({ ResourceStatus }) => ResourceStatus?.endsWith("_COMPLETE"));
    const queues = made.filter(({ ResourceType }) => ResourceType === "AWS::SQS::Queue");
    expect(queues).toHaveLength(2 * queueServices().length);
    const ids = made.map(({ LogicalResourceId }) => LogicalResourceId);
    expect(ids).toEqual(expect.arrayContaining(["ArtifactBucket", "ApiKeyPepper"]));
    const alarms = made.filter(({ ResourceType }) => ResourceType === "AWS::CloudWatch::Alarm");
    expect(alarms.length).toBeGreaterThanOrEqual(queueServices().length);
  });

  it("has every queue with its own dead-letter queue", async () => {
    for (const service of queueServices()) {
      const ask = { QueueUrl: queueUrl(service), AttributeNames: ["RedrivePolicy" as const] };
      const { Attributes } = await sqsClient().send(new GetQueueAttributesCommand(ask));
      const { deadLetterTargetArn } = JSON.parse(Attributes?.RedrivePolicy ?? "{}");
      expect(deadLetterTargetArn).toMatch(new RegExp(`-${service}-dlq$`));
    }
  });

  it("answers nothing without a key", async () => {
    for (const path of ["/api/tasks", "/api/metrics/summary", "/api/artifacts/index"]) {
      expect((await fetch(new URL(path, stage.stack.url))).status, path).toBe(401);
    }
  });

  it("believes nobody who writes the authorizer's answer into his own request", async () => {
    const context = {
      verdict: "identity",
      tenant: "local",
      subject: "key:0",
      scopes: "admin",
      valid_until: "",
    };
    const forged = JSON.stringify({ lambda: context });
    const answer = await fetch(new URL("/api/keys", stage.stack.url), {
      headers: { authorization: "Bearer x", "sls-offline-authorizer-override": forged },
    });
    expect(answer.status).toBe(401);
  });
});

describe("workflows", () => {
  it("change: a fix is made, tested and indexed, and then found", async () => {
    const change = { kind: "patch", diff: FIX };
    const source = exampleSource();
    const view = await run({ workflow: "change", source, change, test: TEST, repository: "dates" });
    expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
    const query = { query: "isWeekend", repository: "dates" };
    const { body } = await stage.api.request<{ results: { symbol: string }[] }>("POST", "/api/query", query);
    expect(body.results[0]?.symbol).toBe("isWeekend");
  });

  it("buildtest: a package that passes, and one that does not", async () => {
    const [good, bad] = await Promise.all(
      [true, false].map((passes) => run({ workflow: "buildtest", source: tinySource(passes), test: TEST })),
    );
    expect([good?.verdict, bad?.verdict]).toEqual(["passed", "failed"]);
  });

  it("index", async () => {
    const view = await run({ workflow: "index", source: exampleSource(), repository: "only-indexed" });
    expect(view.verdict).toBe("passed");
  });

  it("run: what the command said and its exit code", async () => {
    const view = await run({ workflow: "run", source: tinySource(true), command: "echo hello; exit 3" });
    expect(view).toMatchObject({ verdict: "failed", error: { code: "COMMAND_FAILED" } });
    expect((await stage.api.artifact(view.task_id, "run/output.log")).toString()).toContain("hello");
  });
});

describe("redrive", () => {
  it("moves a dead letter back by SQS's own StartMessageMoveTask, and its task passes", async () => {
    const model = await run({ workflow: "buildtest", source: tinySource(true), test: "node --test" });
    const ports = { ...platform, table_name: platform.settings.table_name };
    const { task: like } = (await readLedger("local", model.task_id, ports)) ?? {};
    if (like?.spec.source.kind !== "archive") throw new Error("the source is stored");
    const place = { Bucket: platform.settings.artifact_bucket, Key: like.spec.source.blob.key };
    const kept = await (await s3Client().send(new GetObjectCommand(place))).Body?.transformToByteArray();
    await s3Client().send(new DeleteObjectCommand(place));

    const { tenant, spec, definition, submission_hash } = like;
    const now = Date.now();
    const [at, trace_id] = [new Date(now).toISOString(), platform.runtime.hex(16)];
    const task_id = `task_${"0".repeat(25)}1`;
    const task = {
      ...{ tenant, spec, definition, submission_hash, task_id, trace_id },
      status: "accepted" as const,
      traceparent: `00-${trace_id}-${platform.runtime.hex(8)}-01`,
      version: 1,
      created_at: at,
      updated_at: at,
      deadline_at: new Date(now + 600_000).toISOString(),
    };
    await createTask(task, now + 300_000, ports);
    const parent = parseTraceparent(task.traceparent);
    if (!parent) throw new Error("the task has a trace");
    await nudge({ ...task, parent }, "accepted", platform);
    expect(await stage.api.ended(task_id)).toMatchObject({ error: { code: "BLOB_MISSING" } });

    await s3Client().send(new PutObjectCommand({ ...place, Body: kept }));
    const words = ["dlq", "replay", "--queue", "buildtest", "--move", "--json"];
    const { stdout } = await runCli(words, { url: stage.stack.url, key: stage.api.key });
    expect(JSON.parse(stdout)).toMatchObject({ state: "completed", counts: { sent: 1, kept: 0 } });
    const dead = { QueueUrl: deadLetterQueueUrl("buildtest"), AttributeNames: ["QueueArn" as const] };
    const { Attributes } = await sqsClient().send(new GetQueueAttributesCommand(dead));
    const ask = new ListMessageMoveTasksCommand({ SourceArn: Attributes?.QueueArn });
    expect((await sqsClient().send(ask)).Results).toMatchObject([{ Status: "COMPLETED" }]);
    const ended = await stage.api.ended(task_id);
    expect(ended, JSON.stringify(ended.error)).toMatchObject({ verdict: "passed" });
    await expectWholeArtifacts(ended);
  });
});
