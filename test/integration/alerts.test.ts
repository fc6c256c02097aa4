import { readFileSync } from "node:fs";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { openFailures } from "#lib/agents/dlq/failure-lists.ts";
import type { Sample } from "#lib/platform/metrics/series.ts";
import { ALERT } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { deleteItem } from "#lib/platform/table/operations.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { rateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import { createSilence, lastEvaluation, listAlerts } from "#lib/work/observation/alert-store.ts";
import { type EvaluationPorts, evaluateAlerts } from "#lib/work/observation/evaluate-alerts.ts";
import { noticePlace } from "#lib/work/observation/notice-place.ts";
import { watchEvaluator } from "#lib/work/observation/watch-evaluator.ts";
import { AlertsConfig } from "#schemas/config/alerts.ts";
import { AlertsInput, AlertsOutput } from "#schemas/messages/alerts.ts";
import { tell } from "../../functions/alerts/tell.ts";
import { chatSpace } from "../fakes/chat-space.ts";
import { replayStage } from "../fakes/replay-stage.ts";

const shipped = AlertsConfig.parse(JSON.parse(readFileSync("configs/alerts.json", "utf8")));
const rules = shipped.rules.filter(({ name }) => ["circuit_open", "evaluator_silent"].includes(name));
const SEVERITIES = ["critical", "warning", "info"] as const;
const config: AlertsConfig = {
  ...shipped,
  rules,
  sinks: {
    ops: { kind: "google_chat", severities: [...SEVERITIES], messages_per_second: 100, threads: true },
  },
};

let stage: Awaited<ReturnType<typeof replayStage>>;
let receiver: Awaited<ReturnType<typeof chatSpace>>;
let sns: SNSClient;
let topic_arn: string;
let in_force: AlertsConfig;
/** Circuits, by name, that are open at the moment. */
let open: Record<string, boolean>;

beforeAll(async () => {
  receiver = await chatSpace();
  topic_arn = "arn:aws:sns:us-east-1:000000000000:pager";
  stage = await replayStage(() => ({ verdict: "passed" }), {
    alerts: (platform) => {
      sns = new SNSClient({
        endpoint: new URL(platform.queueUrl("alerts")).origin,
        region: "us-east-1",
        credentials: { accessKeyId: "local", secretAccessKey: "local" },
        maxAttempts: 1,
      });
      return alertsOf(platform);
    },
  });
});
afterAll(async () => {
  sns?.destroy();
  await stage?.close();
  await receiver?.close();
});
beforeEach(async () => {
  await stage.drain();
  for (const record of await listAlerts(stage.ports)) await deleteItem(keyOf(ALERT, record), stage.ports);
  receiver.reset();
  in_force = config;
  open = {};
  stage.clock.ahead_ms += 60_000;
});

function alertsOf(platform: AgentPlatform) {
  const { table, runtime, settings } = platform;
  const ports = {
    alerts: () => in_force,
    addresses: { ops: { url: receiver.url }, pager: { topic_arn } },
    sns,
    rules: () => ({ schemes: ["http" as const], addresses: "loopback" as const }),
    limiter: rateLimiter({ table, runtime, table_name: settings.table_name }),
    timeout_seconds: 1,
    response_bytes_max: 1000,
    service_version: "0",
  };
  const claims = stepClaims({ table, runtime, table_name: settings.table_name }, noticePlace);
  return defineAgent(
    {
      name: "alerts",
      input: AlertsInput,
      output: AlertsOutput,
      detached: { sendAnew: async () => false },
      run: (input, context) => tell(input, context, ports),
    },
    () => ({ ...platform, claims }),
  );
}

function evaluation(change: Partial<EvaluationPorts> = {}): EvaluationPorts {
  const { platform, ports } = stage;
  return {
    ...platform,
    table_name: ports.table_name,
    log: platform.logOf("observability"),
    alerts: () => in_force,
    readings: async () => {
      const gauges = Object.entries(open).map(
        ([circuit, is_open]): Sample => ({
          name: "agents_circuit_open",
          labels: { service: "codegen", role: "worker", shard: "0", tenant: "_platform", circuit },
          value: is_open ? 1 : 0,
        }),
      );
      return { now_ms: platform.runtime.now(), minutes: [], gauges };
    },
    ...change,
  };
}

const evaluate = (change: Partial<EvaluationPorts> = {}) => evaluateAlerts(undefined, evaluation(change));
const told = () =>
  receiver.received.map(({ body }) => {
    const { cardsV2, thread } = JSON.parse(body);
    const [, rule, words] = /^\S+ (\w+) (.+)$/.exec(cardsV2[0].card.header.title) ?? [];
    return { rule, words, thread: thread.threadKey as string };
  });
const later = (seconds: number) => {
  stage.clock.ahead_ms += seconds * 1000;
};
/** Pumps until so many messages were taken by the receiver. */
async function pumpUntil(count: number): Promise<void> {
  for (const until = Date.now() + 60_000; receiver.received.length < count && Date.now() < until; )
    await stage.pump();
  await stage.pump();
}

describe("ten evaluators at once", () => {
  it("send one message for a fire and one for its resolution", async () => {
    open.model = true;
    await Promise.all(Array.from({ length: 10 }, () => evaluate()));
    await Promise.all(Array.from({ length: 10 }, () => evaluate()));
    await pumpUntil(1);
    expect(told()).toMatchObject([{ rule: "circuit_open", words: "fires" }]);
    open.model = false;
    await Promise.all(Array.from({ length: 10 }, () => evaluate()));
    await pumpUntil(2);
    expect(told().map(({ words }) => words)).toEqual(["fires", "is resolved"]);
    expect(new Set(told().map(({ thread }) => thread)).size).toBe(1);
  });
});

describe("a schedule that runs twice", () => {
  it("minute after minute sends one message for a fire and one for its resolution", async () => {
    for (const is_open of [false, true, true, true, false, false]) {
      open = { model: is_open };
      await Promise.all([evaluate(), evaluate()]);
      await evaluate();
      later(60);
    }
    await pumpUntil(2);
    expect(told().map(({ words }) => words)).toEqual(["fires", "is resolved"]);
    expect(receiver.faults).toEqual([]);
  });
});

describe("an alert", () => {
  it("is not resolved by another with other labels, and ends when its own are gone", async () => {
    open = { one: true, two: true };
    await evaluate();
    await pumpUntil(2);
    open = { one: true, two: false };
    await evaluate();
    await pumpUntil(3);
    const [first, second, third] = told();
    expect([first?.words, second?.words, third?.words]).toEqual(["fires", "fires", "is resolved"]);
    const threads = [first?.thread, second?.thread]; // told in any order
    expect(new Set(threads).size).toBe(2);
    expect(threads).toContain(third?.thread);
    open = {};
    await evaluate();
    await pumpUntil(4);
    const left = threads.find((thread) => thread !== third?.thread);
    expect(told()[3]).toMatchObject({ words: "is resolved", thread: left });
  });

  it("stays as it is when the readings fail", async () => {
    open.model = true;
    await evaluate();
    const failing = evaluate({ readings: async () => Promise.reject(new Error("no table")) });
    await expect(failing).rejects.toThrow("no table");
    await pumpUntil(1);
    expect((await listAlerts(stage.ports)).map(({ state }) => state)).toEqual(["firing"]);
    expect(told()).toHaveLength(1);
  });

  it("whose evaluator died before it sent is sent by the next one, once", async () => {
    open.model = true;
    const dead = { send: async () => Promise.reject(new Error("killed")) } as never;
    await expect(evaluate({ sqs: dead })).rejects.toThrow("killed");
    await evaluate();
    await pumpUntil(0);
    expect(told()).toEqual([]);
    later(31);
    await Promise.all([evaluate(), evaluate(), evaluate()]);
    await pumpUntil(1);
    expect(told()).toMatchObject([{ words: "fires" }]);
    await evaluate();
    await stage.pump();
    expect(told()).toHaveLength(1);
  });

  it("of a rule that was taken out is resolved", async () => {
    open.model = true;
    await evaluate();
    in_force = { ...config, rules: [] };
    await evaluate();
    await pumpUntil(2);
    expect(told().map(({ words }) => words)).toEqual(["fires", "is resolved"]);
  });

  it("that is silenced is told when the silence is over", async () => {
    const now = stage.platform.runtime.now();
    const iso = (ms: number) => new Date(ms).toISOString();
    const until = iso(now + 600_000);
    const facts = {
      why: "x",
      created_by: "local",
      created_at: iso(now),
      expires_at: Math.ceil(now / 1000) + 9999,
    };
    await createSilence(
      { silence_id: "1".repeat(16), rule: "circuit_open", labels: {}, until, ...facts },
      stage.ports,
    );
    open.model = true;
    await evaluate();
    await stage.pump();
    expect(told()).toEqual([]);
    later(601);
    await evaluate();
    await pumpUntil(1);
    expect(told()).toMatchObject([{ words: "fires" }]);
  });
});

describe("a receiver", () => {
  it.each([
    ["answers 500", () => receiver.answer(500)],
    ["answers 429", () => receiver.answer(429, { "retry-after": "1" })],
    ["closes the connection", () => receiver.answerBy((response) => void response.destroy())],
    ["answers nothing in time", () => receiver.answerBy(() => undefined)],
  ])("that %s is told again, and once when it takes it", async (_name, fail) => {
    fail();
    open.model = true;
    await evaluate();
    await pumpUntil(2);
    expect(told().map(({ words }) => words)).toEqual(["fires", "fires"]);
    await evaluate();
    await stage.pump();
    expect(told()).toHaveLength(2);
  });

  it("that is unknown costs no notice: it is in the dead-letter queue", async () => {
    in_force = { ...config, sinks: { gone: config.sinks.ops! } };
    open.model = true;
    await evaluate();
    await stage.pump();
    const { found } = await openFailures(
      { all: true },
      { queue: "alerts" },
      { order: "earliest" },
      stage.ports,
    );
    expect(found.map(({ record }) => record.code)).toEqual(["ALERT_SINK_UNKNOWN"]);
    expect(JSON.stringify(found)).not.toContain(receiver.url);
  });
});

describe("a topic of SNS", () => {
  it("is told, once it is there: its subscribers have the notice, with what they filter by", async () => {
    const { severities } = config.sinks.ops!;
    in_force = { ...config, sinks: { pager: { kind: "sns", severities, messages_per_second: 100 } } };
    open.model = true;
    await evaluate();
    await stage.pump(); // the topic is not there yet
    const { sqs } = stage;
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "subscriber" }));
    await sns.send(new CreateTopicCommand({ Name: "pager" }));
    const Endpoint = "arn:aws:sqs:us-east-1:000000000000:subscriber";
    await sns.send(new SubscribeCommand({ TopicArn: topic_arn, Protocol: "sqs", Endpoint }));
    const bodies: string[] = [];
    for (const until = Date.now() + 60_000; bodies.length === 0 && Date.now() < until; ) {
      await stage.pump();
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      bodies.push(...Messages.map(({ Body = "" }) => Body));
    }
    expect(bodies).toHaveLength(1);
    const { Subject, Message, MessageAttributes } = JSON.parse(bodies[0]!);
    expect(Subject).toBe("critical: circuit_open fires");
    expect(Message).toContain("circuit: model");
    expect(MessageAttributes.rule).toMatchObject({ Value: "circuit_open" });
  });
});

describe("the evaluator's own silence", () => {
  it("is noticed by the other scheduled function, and over with the next evaluation", async () => {
    await evaluate();
    const { alerts: _, readings: __, ...ports } = evaluation();
    const watch = () => watchEvaluator(ports, () => in_force);
    expect(await watch()).toBe(0);
    later(400);
    expect(await Promise.all([watch(), watch()])).toContain(1);
    await pumpUntil(1);
    expect(told()).toMatchObject([{ rule: "evaluator_silent", words: "fires" }]);
    expect(await lastEvaluation(stage.ports)).toBeLessThan(stage.platform.runtime.now() - 399_000);
    await evaluate();
    await pumpUntil(2);
    expect(told()[1]).toMatchObject({ rule: "evaluator_silent", words: "is resolved" });
  });
});
