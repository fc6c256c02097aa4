import middy from "@middy/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { claimStep, runClaimedStep } from "#lib/agents/agent/claim-step.ts";
import { publishOutcome } from "#lib/agents/agent/define-agent.ts";
import {
  type IncomingMessage,
  type MessageEnd,
  type MessageMiddleware,
  measureMessage,
  parseMessage,
  received,
  settleMessage,
  traceMessage,
} from "#lib/agents/agent/message.ts";
import { partialBatchResponse } from "#lib/agents/agent/serve-queue.ts";
import { ParkedFault, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { beginInvocation } from "#lib/platform/lambda/invocation.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { startSpan } from "#lib/platform/trace/span.ts";
import type { ClaimResult } from "#lib/resilience/idempotency/step-claims.ts";
import type { SpanRecord } from "#schemas/records/span.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { invocationPorts, LAMBDA } from "#test/fakes/lambda-invocation.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";

const { envelope } = fakeAgentContext().context;
const MESSAGE_BODY = JSON.stringify(envelope);

/** A message in a world where commands to AWS are noted and claims answer what is given. */
function incoming({
  body = MESSAGE_BODY,
  claim = { kind: "canceled" } as ClaimResult,
  deadline_at = envelope.deadline_at,
} = {}) {
  const world = invocationPorts();
  const sent: { name: string; input: Record<string, unknown> }[] = [];
  const claims: unknown[] = [];
  const spans: Omit<SpanRecord, "service">[] = [];
  const platform = {
    ...world.ports,
    sqs: {
      send: async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
        sent.push({ name: command.constructor.name, input: command.input });
        return {};
      },
    },
    claims: {
      claim: async (request: unknown) => {
        claims.push(request);
        return claim;
      },
    },
    retryPolicy: () => ({ value: retryPolicy({ attempts_max: 3 }), hash: "0".repeat(64) }),
    artifacts: () => ({ value: { tasks_days: 1 }, hash: "0".repeat(64) }),
    queueUrl: (service: string) => service,
    deadLetterQueueUrl: (service: string) => `${service}-dlq`,
  };
  const record = {
    messageId: "sqs-id",
    receiptHandle: "receipt",
    body,
    attributes: { ApproximateReceiveCount: "1", SentTimestamp: "0", ApproximateFirstReceiveTimestamp: "1" },
  };
  const message = {
    ...beginInvocation("fake", LAMBDA, platform as never),
    record,
    started_ms: systemRuntime.now(),
    ...(body === MESSAGE_BODY && {
      envelope: { ...envelope, deadline_at },
      span: startSpan(
        undefined,
        { name: "message", recorder: { add: (span) => spans.push(span), belongsTo() {} } },
        systemRuntime,
      ),
    }),
  } as unknown as IncomingMessage;
  return { ...world, message, sent, claims, spans };
}

/** One message through this one middleware. */
function pass(
  message: IncomingMessage,
  middleware: MessageMiddleware,
  work: (message: IncomingMessage) => MessageEnd | Promise<MessageEnd> = () => ({}),
) {
  const stack = middy<IncomingMessage, MessageEnd>({ timeoutEarlyInMillis: 0 })
    .use(middleware)
    .handler(async (event: IncomingMessage) => work(event));
  return stack(message, LAMBDA as never);
}

const throwing = (error: unknown) => () => {
  throw error;
};
const counted = ({ counters }: IncomingMessage) =>
  Object.fromEntries(counters.entries().map(({ metric, tenant, amount }) => [`${metric} ${tenant}`, amount]));
const { envelope: _envelope, span: _span, ...unread } = incoming().message;

describe("measureMessage", () => {
  it("counts the message under its tenant, and one that could not be read under none", async () => {
    const { message } = incoming();
    await pass(message, measureMessage());
    expect(counted(message)["message_count acme"]).toBe(1);
    await pass(unread, measureMessage(), throwing(new Error("no"))).catch(() => {});
    expect(counted(unread)["message_count unknown"]).toBe(1);
  });
});

describe("parseMessage", () => {
  it("reads the envelope and logs with its ids", async () => {
    const { message, lines } = incoming();
    delete message.envelope;
    await pass(message, parseMessage(), (event) => {
      event.log.info("STEP_STARTED", "x");
      return {};
    });
    expect(message.envelope).toEqual(envelope);
    expect(lines[0]?.fields).toMatchObject({
      task_id: envelope.task_id,
      trace_id: envelope.trace_id,
      tenant: "acme",
    });
  });

  it.each([
    ["no JSON", "x", "ENVELOPE_INVALID"],
    ["no envelope", "{}", "ENVELOPE_INVALID"],
    ["without a trace", JSON.stringify({ ...envelope, traceparent: "x" }), "TRACE_MISSING"],
    ["another service's", JSON.stringify({ ...envelope, service: "other" }), "ENVELOPE_INVALID"],
  ])("refuses what is %s", async (_name, body, code) => {
    await expect(pass(incoming({ body }).message, parseMessage())).rejects.toMatchObject({ code });
  });
});

describe("traceMessage", () => {
  it("gives the message a span below the one that sent it, which ends with the work", async () => {
    const { message, batches } = incoming();
    await pass(message, traceMessage(), (event) => {
      expect(received(event).span).toMatchObject({
        trace_id: envelope.trace_id,
        parent_span_id: envelope.span_id,
      });
      event.meter?.({ service: "s3", operation: "GetObject", start_ms: 0, duration_ms: 1 });
      return {};
    });
    await message.spans.flush(60_000);
    expect(batches[0]?.groups[0]?.spans).toMatchObject([
      { name: "process fake", status: { code: "unset" }, attributes: { "agents.aws.s3.calls": 1 } },
    ]);
  });

  it("marks the span as failed when the work fails, and stands after parseMessage", async () => {
    const { message, batches } = incoming();
    const fault = new RetryableFault("EMBEDDER_FAILED", "no");
    await expect(pass(message, traceMessage(), throwing(fault))).rejects.toBe(fault);
    await message.spans.flush(60_000);
    expect(batches[0]?.groups[0]?.spans[0]?.status).toMatchObject({
      code: "error",
      error_code: "EMBEDDER_FAILED",
    });
    await expect(pass({ ...unread }, traceMessage())).rejects.toThrow("the stack lacks parseMessage");
  });
});

describe("settleMessage", () => {
  it("acknowledges a message that succeeded", async () => {
    const { message, sent } = incoming();
    expect(await pass(message, settleMessage())).toEqual({});
    expect([counted(message), sent]).toEqual([{ "messages_acknowledged acme": 1 }, []]);
  });

  it("lets a message that may succeed later return after its back-off", async () => {
    const { message, sent } = incoming();
    const end = await pass(message, settleMessage(), throwing(new RetryableFault("EMBEDDER_FAILED", "no")));
    expect(end).toEqual({ returned: "sqs-id" });
    expect(sent).toMatchObject([{ name: "ChangeMessageVisibilityCommand" }]);
  });

  it("sends one that cannot succeed to the DLQ, also one that could not be read", async () => {
    for (const message of [incoming().message, { ...incoming({ body: "x" }).message }]) {
      const fault = new TerminalFault("ENVELOPE_INVALID", "no");
      expect(await pass(message, settleMessage(), throwing(fault))).toEqual({ returned: undefined });
    }
  });
});

describe("claimStep", () => {
  const agent = { name: "fake" };

  it("claims the step under a lease within the invocation's time", async () => {
    const { message, claims } = incoming();
    await pass(message, claimStep(agent));
    expect(claims).toMatchObject([
      { key: { task_id: envelope.task_id, step: "fake", round: 0 }, lease_ms: 30_000, attempts_max: 3 },
    ]);
    expect(message.claim?.result.kind).toBe("canceled");
  });

  it("claims nothing after the deadline, unless a detached agent has no later message to send", async () => {
    const late = { deadline_at: "2020-01-01T00:00:00.000Z" };
    for (const [detached, claimed] of [
      [undefined, 0],
      [{ sendAnew: async () => true }, 0],
      [{ sendAnew: async () => false }, 1],
    ] as const) {
      const { message, claims } = incoming(late);
      await pass(message, claimStep({ ...agent, ...(detached && { detached }) }));
      expect(claims).toHaveLength(claimed);
    }
  });
});

describe("publishOutcome", () => {
  const ended: MessageEnd = { ended: { verdict: "passed", artifacts: [], attempts: 1 } };
  const claim = { key: envelope, result: { kind: "canceled" }, lease_ms: 1 } as IncomingMessage["claim"];
  const reasons = (sent: { input: Record<string, unknown> }[]) =>
    sent.map(({ input }) => JSON.parse(String(input.MessageBody)).payload.reason);

  it.each([
    ["a step that ended", claim, ended, {}, ["step_ended"]],
    ["a canceled step", claim, {}, {}, []],
    ["a message after its deadline", undefined, {}, {}, ["replayed"]],
    ["a step of a detached agent", claim, ended, { detached: { sendAnew: async () => true } }, []],
    ["an old message of a detached agent", undefined, {}, { detached: { sendAnew: async () => true } }, []],
  ])("tells the orchestrator what it should of %s", async (_name, claimed, end, agent, expected) => {
    const { message, sent } = incoming();
    if (claimed) message.claim = claimed;
    await pass(message, publishOutcome(agent), () => end);
    expect(reasons(sent)).toEqual(expected);
  });

  it("sends a dead letter before it tells the orchestrator, and nothing when the work threw", async () => {
    const { message, sent } = incoming();
    message.claim = claim!;
    const dead: MessageEnd["ended"] = {
      verdict: "error",
      code: "ATTEMPTS_EXHAUSTED",
      dead_letter: true,
      artifacts: [],
      attempts: 3,
    };
    await pass(message, publishOutcome({}), () => ({ ended: dead }));
    expect(sent.map(({ input }) => input.QueueUrl)).toEqual(["fake-dlq", "orchestrator"]);
    const parked = new ParkedFault("STEP_PARKED", "later");
    const other = incoming();
    await expect(pass(other.message, publishOutcome({}), throwing(parked))).rejects.toBe(parked);
    expect(other.sent).toEqual([]);
  });
});

describe("runClaimedStep", () => {
  const agent = {
    name: "fake",
    input: z.unknown(),
    output: z.unknown(),
    run: async () => ({ verdict: "passed" }),
  };
  const run = runClaimedStep(agent as Agent<z.ZodType, z.ZodType>);
  const claimed = (result: ClaimResult) => {
    const { message } = incoming();
    const key = { tenant: "acme", task_id: envelope.task_id, step: "fake", round: 0 };
    return run(received({ ...message, claim: { key, result, lease_ms: 1000 } }));
  };

  it("gives a duplicate the outcome that is there, and nothing to a canceled or unclaimed step", async () => {
    const outcome = { verdict: "passed" as const, artifacts: [] };
    expect(await claimed({ kind: "completed", outcome, attempts: 2 })).toEqual({
      ended: { ...outcome, attempts: 2 },
    });
    expect(await claimed({ kind: "canceled" })).toEqual({ ended: undefined });
    expect(await run(received(incoming().message))).toEqual({});
  });

  it("waits for a step that somebody else has in hand, and with one that is parked", async () => {
    const until_ms = systemRuntime.now() + 5000;
    await expect(claimed({ kind: "wait", until_ms, parked: false })).rejects.toMatchObject({
      code: "STEP_IN_PROGRESS",
    });
    await expect(claimed({ kind: "wait", until_ms, parked: true })).rejects.toMatchObject({
      code: "STEP_PARKED",
    });
  });
});

describe("partialBatchResponse", () => {
  it("serves each message by itself and names those that must return", async () => {
    const { message } = incoming();
    const records = ["a", "b", "c"].map((messageId) => ({ ...message.record, messageId }));
    const serve = partialBatchResponse(async ({ record }) => ({
      returned: record.messageId === "b" ? "b" : undefined,
    }));
    const batch = { ...message, last: [], event: { Records: records } };
    expect(await serve(batch as never, LAMBDA as never)).toEqual({
      batchItemFailures: [{ itemIdentifier: "b" }],
    });
    expect(await serve({ ...batch, event: { Records: [] } } as never, LAMBDA as never)).toEqual({
      batchItemFailures: [],
    });
  });
});
