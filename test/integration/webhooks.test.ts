import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFailures } from "#lib/agents/dlq/failure-lists.ts";
import { settleFailure } from "#lib/agents/dlq/failure-store.ts";
import { failedMessage, prepareReplay, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import { formatSecret, secretBytes } from "#lib/work/webhooks/sign-webhook.ts";
import { deleteWebhook, listWebhooks, moveWebhook, readWebhook } from "#lib/work/webhooks/webhook-store.ts";
import { TaskEnded } from "#schemas/messages/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import { advance } from "../../functions/orchestrator/advance.ts";
import { crashing } from "../fakes/crashing-ports.ts";
import { webhookReceiver } from "../fakes/webhook-receiver.ts";
import { ROOT, webhookStage } from "../fakes/webhook-stage.ts";

let stage: Awaited<ReturnType<typeof webhookStage>>;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
/** Whether the task showed as ended when its event came. */
const shown_as_ended: boolean[] = [];

beforeAll(async () => {
  stage = await webhookStage();
  receiver = await webhookReceiver({
    async onReceived({ body }) {
      const { data } = TaskEnded.parse(JSON.parse(body));
      const ledger = await readLedger("acme", data.task_id, stage.ports);
      shown_as_ended.push(ledger === undefined || ledger.task.sealed_at !== undefined);
    },
  });
});
afterAll(async () => {
  await stage?.close();
  await receiver?.close();
});
beforeEach(async () => {
  for (const webhook of await listWebhooks("acme", stage.ports)) await deleteWebhook(webhook, stage.ports);
  await stage.drain();
  for (const one of await failures())
    await settleFailure(failedMessage(one), { as: "resolved" }, stage.ports);
  receiver.reset();
  shown_as_ended.length = 0;
  stage.clock.ahead_ms = 0;
  stage.clock.stands_at_ms = undefined;
});

const secretOf = (webhook: WebhookRecord, number = 1) => formatSecret(secretBytes(ROOT, webhook, number));
const idOf = (task_id: string, { webhook_id }: WebhookRecord, ending = 0) =>
  `${task_id}_${ending}_${webhook_id}`;
const failures = async () =>
  (await openFailures({ all: true }, {}, { order: "earliest" }, stage.ports)).found;
const letters = async () => (await failures()).map(({ record }) => record.code);
const replayAll = async () => {
  const open = await failures();
  return Promise.all(open.map((one) => replayMessage(failedMessage(one), stage.ports)));
};
const delivery = async (task_id: string) =>
  (await stage.deliveries()).find((one) => one.task_id === task_id)!;

async function ended(): Promise<string> {
  const { task_id } = await stage.submit(stage.workflow);
  await stage.pump();
  return task_id;
}
/** Pumps until the receiver was asked so often, for a back-off may take a second. */
async function pumpUntil(reached: () => boolean | Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 60_000; Date.now() < until; ) {
    await stage.pump();
    if (await reached()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not reached: ${JSON.stringify(await stage.deliveries(), null, 1)}`);
}

describe("a task that ended", () => {
  it("is told to each webhook of its tenant once, signed, and shows as ended by then", async () => {
    const [one, two] = [await stage.register(receiver.url), await stage.register(receiver.url)];
    await stage.register(receiver.url, "other");
    const task_id = await ended();
    expect(receiver.ids().sort()).toEqual([idOf(task_id, one), idOf(task_id, two)].sort());
    for (const { headers, body } of receiver.received) {
      const webhook = headers["webhook-id"] === idOf(task_id, one) ? one : two;
      const given = headers as Record<string, string>;
      const event = TaskEnded.parse(new Webhook(secretOf(webhook)).verify(body, given));
      expect(event.data).toMatchObject({ task_id, status: "succeeded", verdict: "passed", ending: 0 });
      expect(event.timestamp).toBe((await stage.ledger(task_id)).task.ended_at);
      expect(headers["content-type"]).toBe("application/json");
    }
    expect(shown_as_ended).toEqual([true, true]);
    expect(await delivery(task_id)).toMatchObject({ state: "delivered", attempts: 1, status_code: 204 });
    expect(await stage.sweepLater(3600)).toBe(0);
    await stage.pump();
    expect(receiver.received).toHaveLength(2);
    expect((await stage.ledger(task_id)).steps.map(({ step }) => step)).toEqual(["work"]);
  });

  it("is tried again under the same id with the same body, and dead-lettered when nothing helps", async () => {
    const webhook = await stage.register(receiver.url);
    receiver.answer(500);
    receiver.answer(404);
    const task_id = await ended();
    await pumpUntil(() => receiver.received.length === 2);
    expect(new Set(receiver.ids())).toEqual(new Set([idOf(task_id, webhook)]));
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(await delivery(task_id)).toMatchObject({
      state: "failed",
      attempts: 2,
      code: "WEBHOOK_REFUSED",
      message: "the receiver answered 404",
    });
    expect(await letters()).toEqual(["WEBHOOK_REFUSED"]);

    const before = (await stage.ledger(task_id)).task;
    const [replayed] = await replayAll();
    expect(replayed).toMatchObject({ did: "sent", reason: "MESSAGE_SENT" });
    await stage.pump();
    expect(receiver.ids()).toEqual(Array.from({ length: 3 }, () => idOf(task_id, webhook)));
    expect(await delivery(task_id)).toMatchObject({ state: "delivered", attempts: 1, code: null });
    expect((await stage.ledger(task_id)).task).toEqual(before);
    expect(await letters()).toEqual([]);
  });

  it("waits as long as a busy receiver asks", async () => {
    await stage.register(receiver.url);
    receiver.answer(429, { "retry-after": "1800" });
    const task_id = await ended();
    const waiting = await delivery(task_id);
    expect(waiting).toMatchObject({ state: "waiting", attempts: 1, code: "WEBHOOK_THROTTLED" });
    const [first] = receiver.received;
    expect(Date.parse(waiting.next_try_at!)).toBeGreaterThanOrEqual(first!.at_ms + 1_800_000);
    expect(receiver.received).toHaveLength(1);
    await stage.sweepLater(1900);
    await stage.pump();
    expect(receiver.received).toHaveLength(2);
    expect(await delivery(task_id)).toMatchObject({ state: "delivered", attempts: 2 });
  });

  it("is told no more to a receiver that is gone, until it is enabled again", async () => {
    const webhook = await stage.register(receiver.url);
    receiver.answer(410);
    const task_id = await ended();
    expect(await delivery(task_id)).toMatchObject({ state: "failed", attempts: 1, code: "WEBHOOK_GONE" });
    const disabled = await readWebhook("acme", webhook.webhook_id, stage.ports);
    expect(disabled).toMatchObject({ disabled_because: "WEBHOOK_GONE", disabled_at: expect.any(String) });
    const untold = await ended();
    expect(receiver.received).toHaveLength(1);
    expect(await delivery(untold)).toBeUndefined();
    expect(await letters()).toEqual([]);
  });

  it("is not told to a webhook that was deleted meanwhile", async () => {
    const webhook = await stage.register(receiver.url);
    receiver.answerBy((response) => {
      void deleteWebhook(webhook, stage.ports).then(() => response.writeHead(500).end());
    });
    const task_id = await ended();
    await pumpUntil(async () => (await delivery(task_id)).state === "failed");
    expect(await delivery(task_id)).toMatchObject({ code: "WEBHOOK_DELETED" });
    expect(receiver.received).toHaveLength(1);
  });

  it("is signed with both secrets while a rotation overlaps", async () => {
    const webhook = await stage.register(receiver.url);
    const created_at = webhook.created_at;
    const old = { number: 1, created_at, valid_until: new Date(Date.now() + 60_000).toISOString() };
    await moveWebhook(webhook, { ...webhook, secrets: [{ number: 2, created_at }, old] }, stage.ports);
    await ended();
    const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
    for (const number of [1, 2]) {
      new Webhook(secretOf(webhook, number)).verify(body, headers as Record<string, string>);
    }
    stage.clock.ahead_ms += 61_000;
    await ended();
    const last = receiver.received.at(-1)!.headers as Record<string, string>;
    expect(last["webhook-signature"]?.split(" ")).toHaveLength(1);
  });

  it("is not told to a name that leads inside by the time it is sent, and that ends it at once", async () => {
    const inside = await webhookStage({
      rules: () => ({ schemes: ["http"], addresses: "public" }),
      lookup: async () => [{ address: "127.0.0.1" }],
    });
    try {
      await inside.register(receiver.url.replace("127.0.0.1", "receiver.example"));
      await inside.submit(inside.workflow);
      await inside.pump();
      const [refused] = await inside.deliveries();
      expect(refused).toMatchObject({ state: "failed", attempts: 1, code: "ADDRESS_FORBIDDEN" });
      expect(refused?.message).not.toContain("127.0.0.1");
      expect(receiver.received).toEqual([]);
    } finally {
      await inside.close();
    }
  });
});

describe("an event", () => {
  it("whose message was lost is sent by the sweeper, once", async () => {
    stage.clock.stands_at_ms = Date.now();
    const webhook = await stage.register(receiver.url);
    const { task_id } = await stage.submit(stage.workflow);
    await stage.pumpService("orchestrator");
    await stage.pumpService("worker");
    await stage.pumpService("orchestrator");
    expect((await stage.ledger(task_id)).task.sealed_at).toBeDefined();
    expect(await delivery(task_id)).toMatchObject({ state: "queued", attempts: 0 });
    await stage.drain();
    expect(await stage.sweepLater(10)).toBe(0);
    expect(await stage.sweepLater(30)).toBe(1);
    expect(await stage.sweepLater(0)).toBe(0);
    await stage.pump();
    expect(receiver.ids()).toEqual([idOf(task_id, webhook)]);
  });

  it.each(["before", "after"] as const)(
    "reaches its receiver when the orchestrator dies %s any of the writes that end the task",
    async (gap) => {
      const webhook = await stage.register(receiver.url);
      let write = 1;
      for (let crashed = true; crashed; write += 1) {
        receiver.reset();
        stage.clock.ahead_ms = 0;
        const task = await stage.submit(stage.workflow);
        await stage.pumpService("orchestrator");
        await stage.pumpService("worker");
        await stage.drain();
        const nudge = { ...task, reason: "step_ended" as const, message_id: "m", issued_at: task.created_at };
        crashed = await crashing(stage.ports, { at: write, gap }).run(({ table, sqs }) =>
          advance({ ...nudge, redelivered: false }, { ...stage.orchestrator, table, sqs }),
        );
        await stage.drain();
        for (let sweep = 0; sweep < 3; sweep += 1) {
          await stage.sweepLater(65);
          await stage.pump();
        }
        expect(receiver.ids(), `write ${write}`).toEqual([idOf(task.task_id, webhook)]);
        expect(shown_as_ended).not.toContain(false);
      }
      expect(write).toBeGreaterThan(4);
    },
  );

  it("that comes twice as a message is delivered once", async () => {
    await stage.register(receiver.url);
    const { task_id } = await stage.submit(stage.workflow);
    await stage.pumpService("orchestrator");
    await stage.pumpService("worker");
    await stage.pumpService("orchestrator");
    expect(await stage.sweepLater(35)).toBe(1);
    await stage.pump();
    expect(receiver.received).toHaveLength(1);
    expect(await delivery(task_id)).toMatchObject({ state: "delivered", attempts: 1 });
  });

  /** An event whose receiver stayed away for as long as it is waited for. */
  async function givenUp(): Promise<string> {
    const { task_id } = await stage.submit(stage.workflow);
    await stage.pumpService("orchestrator");
    await stage.pumpService("worker");
    await stage.pumpService("orchestrator");
    await stage.drain();
    await stage.sweepLater(3 * 86_400 + 1);
    await stage.pump();
    expect(await delivery(task_id)).toMatchObject({ state: "failed", code: "DELIVERY_GIVEN_UP" });
    expect(receiver.received).toEqual([]);
    expect(await letters()).toEqual(["DELIVERY_GIVEN_UP"]);
    return task_id;
  }

  it("is given up when its receiver stays away past its deadline, and can still be replayed", async () => {
    const webhook = await stage.register(receiver.url);
    const task_id = await givenUp();
    await replayAll();
    await stage.pump();
    expect(receiver.ids()).toEqual([idOf(task_id, webhook)]);
    expect(await letters()).toEqual([]);
  });

  it("that was given more time is delivered though its old message is what comes back", async () => {
    const webhook = await stage.register(receiver.url);
    const task_id = await givenUp();
    const [failure] = await failures();
    const { body } = failure!.record;
    expect((await prepareReplay(failedMessage(failure!), stage.ports)).plan.kind).toBe("send");
    const QueueUrl = stage.ports.queueUrl("webhooks");
    await stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
    await stage.pump();
    expect(receiver.ids()).toEqual([idOf(task_id, webhook)]);
    const [left] = await replayAll();
    expect(left).toMatchObject({ did: "removed", reason: "REPLAYED_ALREADY" });
  });
});
