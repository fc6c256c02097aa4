import { ChangeMessageVisibilityCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { RECEIVES_MAX, settleFailure } from "#lib/agents/agent/settle-failure.ts";
import { ParkedFault, RetryableFault } from "#lib/platform/errors/fault.ts";
import { makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { instant, systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { childSpan } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";

const TASK = `task_${"0".repeat(26)}`;
const policy = retryPolicy({ jitter: "decorrelated", backoff_ms_base: 4000, backoff_ms_max: 4000 });
const root = childSpan(undefined, systemRuntime);

function message(deadline_ms = 3_600_000): Envelope {
  const parts = {
    service: "worker",
    role: "worker",
    shard: "0",
    tenant: "acme",
    task_id: TASK,
    step: "work",
  };
  const deadline_at = instant(systemRuntime.now() + deadline_ms);
  return makeEnvelope(
    { ...parts, round: 0, attempt: 0, payload: {}, deadline_at, parent: root },
    systemRuntime,
  );
}

/** What was done about a message that failed at its n-th receive. */
async function settled(error: unknown, receives: number, envelope: Envelope | undefined = message()) {
  const sent: {
    queue: string | undefined;
    body: Envelope;
    delay_seconds: number;
    group: string | undefined;
  }[] = [];
  const hidden: (number | undefined)[] = [];
  const sqs = {
    async send(command: unknown) {
      if (command instanceof SendMessageCommand) {
        const { QueueUrl, MessageBody = "", DelaySeconds = 0, MessageGroupId } = command.input;
        sent.push({
          queue: QueueUrl,
          body: JSON.parse(MessageBody),
          delay_seconds: DelaySeconds,
          group: MessageGroupId,
        });
      }
      if (command instanceof ChangeMessageVisibilityCommand) hidden.push(command.input.VisibilityTimeout);
      return {};
    },
  };
  const log = { info() {}, warn() {}, error() {}, with: () => log };
  const returned = await settleFailure({
    service: "worker",
    envelope,
    error,
    span: root,
    record: {
      messageId: "id",
      receiptHandle: "receipt",
      body: JSON.stringify(envelope),
      attributes: { ApproximateReceiveCount: String(receives) },
    },
    counters: makeCounters(),
    log,
    lambda: { functionName: "f", awsRequestId: "r" },
    platform: {
      runtime: systemRuntime,
      sqs,
      table: { send: async () => ({}) },
      settings: { table_name: "table", shard: "0" },
      retryPolicy: () => ({ value: policy, hash: "0".repeat(64) }),
      queueUrl: (service: string) => service,
      deadLetterQueueUrl: (service: string) => `${service}-dlq`,
    },
  } as never);
  return { acknowledged: returned === undefined, sent, hidden };
}

describe("a message whose work is parked", () => {
  it("sends a delayed successor of its tenant and is acknowledged", async () => {
    const original = message();
    const error = new ParkedFault("CIRCUIT_OPEN", "m", { retry_after_ms: 30_000 });
    const { acknowledged, sent, hidden } = await settled(error, 1, original);
    expect([acknowledged, hidden]).toEqual([true, []]);
    expect(sent).toMatchObject([{ queue: "worker", delay_seconds: 30, group: "acme" }]);
    const { message_id, idempotency_key, trace_id, parent_span_id, deadline_at } = sent[0]!.body;
    expect(message_id).not.toBe(original.message_id);
    expect(trace_id).toBe(original.trace_id);
    expect(parent_span_id).toBe(root.span_id);
    expect([idempotency_key, deadline_at]).toEqual([original.idempotency_key, original.deadline_at]);
  });

  it("is delayed by no more than SQS can", async () => {
    const error = new ParkedFault("MODEL_QUOTA_SPENT", "m", { retry_after_ms: 3_000_000 });
    expect((await settled(error, 1)).sent[0]?.delay_seconds).toBe(900);
  });

  it("comes back by itself when it only waits for a lease, until half its receives are used", async () => {
    const error = new ParkedFault("STEP_IN_PROGRESS", "m", { retry_after_ms: 5000, decided: true });
    expect(await settled(error, 1)).toEqual({ acknowledged: false, sent: [], hidden: [5] });
    expect(await settled(error, 10)).toMatchObject({ acknowledged: true, sent: [{ queue: "worker" }] });
  });
});

describe("a message at its last receive", () => {
  it("goes on as a successor when a service is away or its attempts are counted in the ledger", async () => {
    const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const counted = new RetryableFault("MODEL_UNAVAILABLE", "m", { retry_after_ms: 9000, decided: true });
    for (const [error, delay_seconds] of [
      [away, 4],
      [counted, 9],
    ] as const) {
      expect(await settled(error, RECEIVES_MAX - 1)).toEqual({
        acknowledged: false,
        sent: [],
        hidden: [delay_seconds],
      });
      expect(await settled(error, RECEIVES_MAX)).toMatchObject({
        acknowledged: true,
        sent: [{ queue: "worker", delay_seconds }],
      });
    }
  });

  it("goes to the DLQ for anything else, and after its deadline", async () => {
    const bug = new TypeError("x is not a function");
    expect(await settled(bug, RECEIVES_MAX)).toMatchObject({
      acknowledged: true,
      sent: [{ queue: "worker-dlq" }],
    });
    const away = Object.assign(new Error("m"), { name: "TimeoutError" });
    const late = await settled(away, RECEIVES_MAX, message(-1));
    expect(late).toMatchObject({ acknowledged: true, sent: [{ queue: "worker-dlq" }] });
  });
});
