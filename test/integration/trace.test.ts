import type { Context, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { SPANS } from "#lib/platform/table/items.ts";
import { partitionOf } from "#lib/platform/table/keys.ts";
import { queryAll } from "#lib/platform/table/queries.ts";
import { readTaskSpans, taskSpanSink } from "#lib/platform/trace/task-spans.ts";
import { childSpan } from "#lib/platform/trace/traceparent.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";
import { fakeBlobStore } from "../fakes/agent-context.ts";
import { realTable } from "../fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());

const runtime = systemRuntime;
let task = { tenant: "acme", task_id: "" };
let tasks = 0;
let said: string[] = [];
beforeEach(() => {
  tasks += 1;
  task = { tenant: "acme", task_id: `task_${String(tasks).padStart(26, "0")}` };
  said = [];
});

/** The agent's handler in a platform with these sinks; its queue is whoever holds the event. */
function platform(spanSinks: AgentPlatform["spanSinks"]): AgentPlatform {
  const note = (code: string) => void said.push(code);
  const log: Log = { info: note, warn: note, error: note, with: () => log };
  return {
    runtime,
    counts: countBuffer(runtime),
    table: store.table,
    sqs: { send: async () => ({}) } as never,
    claims: stepClaims({ ...store, runtime }),
    settings: {
      stage: "local",
      table_name: store.table_name,
      artifact_bucket: "bucket",
      lease_seconds: 30,
      shard: "0",
      service_version: "1",
      s3_force_path_style: true,
      config_directory: "configs",
    },
    artifacts: () => ({
      hash: "hash",
      value: { $schema: "", tasks_days: 90, blobs_days: 120, uploads_days: 7, orphans_days: 2 },
    }),
    retryPolicy: () => ({
      hash: "hash",
      value: retryPolicy({
        attempts_max: 3,
        backoff_ms_base: 1,
        backoff_ms_max: 1,
        throttle_backoff_ms_base: 1,
      }),
    }),
    blobsOf: () => fakeBlobStore(),
    queueUrl: (service) => `http://queues/${service}`,
    deadLetterQueueUrl: (service) => `http://queues/${service}-dlq`,
    logOf: () => log,
    ...(spanSinks && { spanSinks }),
  };
}

const Shape = z.object({ n: z.number() });
function doubler(fails = 0): Agent<typeof Shape, typeof Shape> {
  let left = fails;
  return {
    name: "doubler",
    input: Shape,
    output: Shape,
    async run({ n }, { span }) {
      if (left-- > 0) throw new RetryableFault("MODEL_UNAVAILABLE", "not this time");
      const doubled = await span("double", { "agents.n": n }, async () => 2 * n);
      return { verdict: "passed", output: { n: doubled } };
    },
  };
}

function event(): SQSEvent {
  const envelope = makeEnvelope(
    {
      ...task,
      service: "doubler",
      role: "worker",
      shard: "0",
      step: "double",
      round: 0,
      attempt: 0,
      payload: { n: 21 },
      deadline_at: "2999-01-01T00:00:00.000Z",
      parent: childSpan(undefined, runtime),
    },
    runtime,
  );
  const attributes = { ApproximateReceiveCount: "1", SentTimestamp: String(Date.now() - 40) };
  const record = { messageId: "m", receiptHandle: "r", body: JSON.stringify(envelope), attributes };
  return { Records: [{ ...record, eventSourceARN: "arn:aws:sqs:us-east-1:0:stack-doubler" }] } as never;
}

let invocations = 0;
async function deliver(handler: ReturnType<typeof defineAgent>, message: SQSEvent): Promise<unknown> {
  invocations += 1;
  const lambda = { awsRequestId: `invocation-${invocations}`, functionName: "stack-doubler" };
  const context = { ...lambda, getRemainingTimeInMillis: () => 30_000 } as Context;
  return handler(message, context, () => undefined);
}

const tableSink = () => taskSpanSink({ ...store, runtime });
const kept = async () => (await readTaskSpans(task, { ...store, runtime })).spans;
const ownItems = () => queryAll(partitionOf(SPANS, task), {}, store);
const outcome = async () => {
  const claims = stepClaims({ ...store, runtime });
  const key = { ...task, step: "double", round: 0 };
  const { idempotency_key, source_hash } = JSON.parse(event().Records[0]!.body);
  const request = { key, service: "doubler", idempotency_key, source_hash, owner: "test" };
  return claims.claim({ ...request, lease_ms: 1000, attempts_max: 3, expires_at: 9_999_999_999 });
};

describe("an agent's spans", () => {
  it("ride on the outcome, below the message's own span, without a write of their own", async () => {
    const message = event();
    await deliver(
      defineAgent(doubler(), () => platform([tableSink()])),
      message,
    );
    const spans = await kept();
    const named = new Map(spans.map((span) => [span.name, span]));
    const sender = JSON.parse(message.Records[0]!.body);
    const consumer = named.get("process doubler");
    expect(consumer).toMatchObject({
      trace_id: sender.trace_id,
      parent_span_id: sender.span_id,
      grandparent_span_id: sender.parent_span_id,
      kind: "consumer",
      attributes: {
        "messaging.destination.name": "stack-doubler",
        "agents.outcome": "completed",
        "agents.verdict": "passed",
      },
    });
    expect(consumer?.attributes["agents.queue.wait_ms"]).toBeGreaterThanOrEqual(40);
    const below = ["claim double", "run double", "complete double", "send orchestrator"];
    for (const name of below) expect(named.get(name)?.parent_span_id, name).toBe(consumer?.span_id);
    expect(named.get("double")).toMatchObject({
      parent_span_id: named.get("run double")?.span_id,
      attributes: { "agents.n": 21 },
    });
    expect(spans).toHaveLength(6);
    expect(await ownItems()).toEqual([]);
    expect(new Set(spans.map(({ invocation }) => invocation)).size).toBe(1);
  });

  it("show each attempt beside the others, and a duplicate as such", async () => {
    const handler = defineAgent(doubler(1), () => platform([tableSink()]));
    const message = event();
    expect(await deliver(handler, message)).toMatchObject({ batchItemFailures: [{ itemIdentifier: "m" }] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect
      .poll(() => deliver(handler, message), { timeout: 60_000 })
      .toEqual({ batchItemFailures: [] });
    await deliver(handler, message);
    const attempts = (await kept()).filter(({ kind }) => kind === "consumer");
    expect(new Set(attempts.map(({ parent_span_id }) => parent_span_id)).size).toBe(1);
    const outcomes = attempts.map(({ attributes, status }) => [
      attributes["agents.outcome"],
      status.error_code,
    ]);
    expect(outcomes[0]).toEqual(["retry", "MODEL_UNAVAILABLE"]);
    expect(outcomes.at(-2)).toEqual(["completed", undefined]);
    expect(outcomes.at(-1)).toEqual(["duplicate", undefined]);
    expect(await ownItems()).toHaveLength(1); // of the duplicate, which wrote nothing else
  });
});

describe("a trace that cannot be written", () => {
  const refusing = () => ({
    name: "table",
    write: async () => Promise.reject(new Error("ProvisionedThroughputExceededException")),
  });
  const hanging = () => ({ name: "table", write: () => new Promise<void>(() => undefined) });

  it.each([
    ["there is no sink", () => undefined],
    ["the table refuses", () => [refusing()]],
    ["the table and the collector hang", () => [hanging(), hanging()]],
  ])("changes nothing of the outcome when %s", async (_name, sinks) => {
    const started = performance.now();
    const answer = await deliver(
      defineAgent(doubler(), () => platform(sinks())),
      event(),
    );
    const took_ms = performance.now() - started;
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await outcome()).toMatchObject({
      kind: "completed",
      outcome: { verdict: "passed", output: { n: 42 } },
    });
    expect(said.includes("SPANS_LOST")).toBe(sinks() !== undefined);
    expect(took_ms).toBeLessThan(15_000);
    // The spans that ride on the outcome need no sink.
    const names = (await kept()).map(({ name }) => name);
    expect(names.includes("run double")).toBe(sinks() !== undefined);
  });
});

describe("spans in the table", () => {
  const span = (name: string, size = 0) => ({
    trace_id: "a".repeat(32),
    span_id: Buffer.from(name.padEnd(8, "_")).toString("hex"),
    service: "s",
    name,
    kind: "internal" as const,
    start_ms: 1,
    end_ms: 2,
    status: { code: "unset" as const },
    attributes: { text: "x".repeat(size) },
  });
  const write = (spans: ReturnType<typeof span>[], now = Date.now()) =>
    taskSpanSink({ ...store, runtime: { now: () => now } }).write(
      { service: "s", function_name: "f", invocation: "i", groups: [{ task, spans }] },
      new AbortController().signal,
    );

  it("fit an item, the first ones winning", async () => {
    await write(Array.from({ length: 600 }, (_, n) => span(`n${n}`, 1000)));
    const spans = await kept();
    expect(spans.length).toBeGreaterThan(200);
    expect(spans.length).toBeLessThan(400);
    expect(spans[0]?.name).toBe("n0");
  });

  it("are gone after two weeks, whether or not the table has dropped them yet", async () => {
    await write([span("old")], Date.now() - 15 * 86_400_000);
    await write([span("new")]);
    expect((await kept()).map(({ name }) => name)).toEqual(["new"]);
  });
});
