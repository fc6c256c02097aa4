import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { AuditList } from "#schemas/http/audit-list.ts";
import { Circuits } from "#schemas/http/circuits.ts";
import type { Problem } from "#schemas/http/task-view.ts";
import {
  DeliveryList,
  type DeliveryView,
  NewWebhook,
  WebhookList,
  type WebhookView,
} from "#schemas/http/webhooks.ts";
import { guideVerifier } from "#test/fakes/guide-verifier.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { webhookReceiver } from "#test/fakes/webhook-receiver.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient, tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";

const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const edit = (name: string, change: (shipped: Record<string, never>) => object) => {
  const file = join(configs, name);
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
};
/** Less patience, so that the tests need less too. */
edit("retry_policy.json", (shipped) => ({
  ...shipped,
  redispatch_seconds: 2,
  overrides: [
    {
      match: { service: "webhooks" },
      attempts_max: 3,
      backoff_ms_base: 100,
      backoff_ms_max: 500,
      throttle_backoff_ms_base: 100,
      last_try_seconds_min: 0,
      retry_budget_floor_per_minute: 600,
    },
    { match: { service: "webhooks", code: "WEBHOOK_REFUSED" }, attempts_max: 2 },
  ],
}));
edit("webhooks.json", (shipped) => ({ ...shipped, timeout_seconds: 2 }));
edit("circuit_breaker.json", (shipped) => ({
  ...shipped,
  circuits: {
    "webhooks.*.*": {
      scope: "tenant",
      consecutive_failures_open: 3,
      open_seconds_base: 2,
      open_seconds_max: 2,
      probes_to_close: 1,
      ramp_seconds: 0,
      park_seconds_max: 5,
    },
  },
}));
const env = { CONFIG_DIRECTORY: configs, LEASE_SECONDS: "5" };

let stack: Stack;
let api: ApiClient;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
let verify: Awaited<ReturnType<typeof guideVerifier>>;

beforeAll(async () => {
  verify = await guideVerifier();
  receiver = await webhookReceiver();
  stack = await startStack({ env });
  api = developmentClient(stack.url, stack.data_dir);
});
beforeEach(async () => {
  const { body } = await api.request("GET", "/api/webhooks");
  for (const { webhook_id } of WebhookList.parse(body).webhooks) {
    await api.request("DELETE", `/api/webhooks/${webhook_id}`);
  }
  receiver.reset();
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.close();
  rmSync(stack?.data_dir, { recursive: true, force: true });
});

const patience = { timeout: 100_000, interval: 100 }; // tries are seconds apart, and a machine may be busy
async function register(url = receiver.url): Promise<NewWebhook> {
  const { status, body } = await api.request("POST", "/api/webhooks", { name: "test", url });
  expect([status, body]).toEqual([201, expect.anything()]);
  return NewWebhook.parse(body);
}
async function ended(): Promise<string> {
  const { task_id } = await api.submit({ workflow: "run", source: tinySource(true), command: "true" });
  await api.ended(task_id);
  return task_id;
}
async function deliveryOf(task_id: string): Promise<DeliveryView | undefined> {
  const { body } = await api.request("GET", `/api/deliveries?task=${task_id}`);
  return DeliveryList.parse(body).deliveries[0];
}
const untilState = (task_id: string, state: DeliveryView["state"]) =>
  vi.waitUntil(async () => {
    const found = await deliveryOf(task_id);
    return found?.state === state ? found : undefined;
  }, patience);
const untilReceived = (count: number) => vi.waitUntil(() => receiver.received.length >= count, patience);

describe("a webhook", () => {
  it("is told of a task's end, verifiably, and the trail says who made it", async () => {
    const { secret, webhook_id } = await register();
    const task_id = await ended();
    await untilReceived(1);
    const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
    expect(verify(secret, headers, body).data).toMatchObject({
      task_id,
      status: "succeeded",
      verdict: "passed",
    });
    expect(headers["webhook-id"]).toBe(`${task_id}_0_${webhook_id}`);
    expect(await untilState(task_id, "delivered")).toMatchObject({ attempts: 1, status_code: 204 });
    const { body: trail } = await api.request("GET", "/api/audit?action=webhook");
    const [entry] = AuditList.parse(trail).entries;
    expect(entry).toMatchObject({ action: "webhook.create", target: webhook_id });
    expect(JSON.stringify(trail)).not.toContain("whsec_");
  });

  it("is tried again when it fails, is slow or asks to wait, always under one id", async () => {
    await register();
    receiver.answer(500);
    receiver.answerBy(() => {}); // says nothing
    const task_id = await ended();
    await untilReceived(3);
    expect(new Set(receiver.ids()).size).toBe(1);
    expect(await untilState(task_id, "delivered")).toMatchObject({ attempts: 3 });
    receiver.answer(429, { "retry-after": "2" });
    const second = await ended();
    await untilReceived(5);
    const [asked, again] = receiver.received.slice(-2).map(({ at_ms }) => at_ms) as [number, number];
    expect(again - asked).toBeGreaterThanOrEqual(2000);
    expect(await untilState(second, "delivered")).toMatchObject({ attempts: 2 });
  });

  it("that always answers 404 is given up after few tries, and its circuit stays closed", async () => {
    const { webhook_id } = await register();
    for (let answers = 0; answers < 20; answers += 1) receiver.answer(404);
    const tasks = await Promise.all(Array.from({ length: 6 }, ended)); // twice what opens the circuit
    for (const task_id of tasks) {
      const given_up = { code: "WEBHOOK_REFUSED", attempts: 2, message: "the receiver answered 404" };
      expect(await untilState(task_id, "failed")).toMatchObject(given_up);
    }
    const { body } = await api.request("GET", "/api/circuits");
    const found = Circuits.parse(body).circuits.find(({ key }) => key.includes(webhook_id));
    expect([undefined, "closed"]).toContain(found?.state);
    receiver.reset();
    await untilState(await ended(), "delivered"); // mended: nothing holds the next event back
  });

  it("that answers 410 is disabled, and goes on where it is enabled again", async () => {
    const { webhook_id } = await register();
    receiver.answer(410);
    const task_id = await ended();
    expect(await untilState(task_id, "failed")).toMatchObject({ code: "WEBHOOK_GONE" });
    const disabled = await runCli(["webhooks", "list"], { url: stack.url, key: api.key });
    expect(disabled.stdout).toContain(`✗ ${webhook_id}  disabled (WEBHOOK_GONE)`);
    const enabled = await runCli(["webhooks", "enable", webhook_id], { url: stack.url, key: api.key });
    expect(enabled.stdout).toContain("active");
    const { delivery_id } = (await deliveryOf(task_id))!;
    const again = await runCli(["webhooks", "redeliver", delivery_id], { url: stack.url, key: api.key });
    expect([again.code, again.stderr]).toEqual([0, ""]);
    await untilState(task_id, "delivered");
    expect(receiver.ids()).toEqual([delivery_id, delivery_id]);
  });

  it("that is down is left alone by its circuit, at no cost of tries, and gets everything when it is back", async () => {
    const down = await webhookReceiver();
    const port = Number(new URL(down.url).port);
    const { webhook_id } = await register(down.url);
    await down.close();
    const tasks = await Promise.all(Array.from({ length: 6 }, ended));
    const states = async () => (await Promise.all(tasks.map(deliveryOf))).map((one) => one?.state);
    await vi.waitUntil(async () => (await states()).includes("parked"), patience);
    const { body } = await api.request("GET", "/api/circuits");
    const found = Circuits.parse(body).circuits.find(({ key }) => key.includes(webhook_id));
    expect(found).toMatchObject({ key: `webhooks.worker.webhook-${webhook_id}.local` });
    const back = await webhookReceiver({ port });
    try {
      await vi.waitUntil(async () => (await states()).every((state) => state === "delivered"), patience);
      expect(new Set(back.ids()).size).toBe(tasks.length);
    } finally {
      await back.close();
    }
  });

  it("is told under the same id when everything dies between the end and the answer", async () => {
    const { secret, webhook_id } = await register();
    receiver.answerBy(() => stack.kill()); // it has the event; nobody hears of that
    const { task_id } = await api.submit({ workflow: "run", source: tinySource(true), command: "true" });
    await untilReceived(1);
    stack = await startStack({ data_dir: stack.data_dir, env });
    api = developmentClient(stack.url, stack.data_dir);
    await untilReceived(2);
    await untilState(task_id, "delivered");
    expect(new Set(receiver.ids())).toEqual(new Set([`${task_id}_0_${webhook_id}`]));
    for (const { headers, body } of receiver.received) expect(verify(secret, headers, body)).toBeDefined();
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it("is told when everything dies as soon as the task has ended", async () => {
    await register();
    const task_id = await ended();
    stack.kill();
    stack = await startStack({ data_dir: stack.data_dir, env });
    api = developmentClient(stack.url, stack.data_dir);
    await untilState(task_id, "delivered");
    expect(new Set(receiver.ids()).size).toBe(1);
  });
});

describe("the command line", () => {
  it("makes, rotates, lists and deletes webhooks, and shows what was sent", async () => {
    const as = { url: stack.url, key: api.key };
    const made = await runCli(["webhooks", "create", receiver.url, "--name", "ci"], as);
    const [first = ""] = made.stdout.split("\n");
    expect([made.code, first]).toEqual([0, expect.stringMatching(/^whsec_/)]);
    const { body } = await api.request("GET", "/api/webhooks");
    const [{ webhook_id }] = WebhookList.parse(body).webhooks as [WebhookView];
    const rotated = await runCli(["webhooks", "rotate", webhook_id, "--grace", "1h", "--json"], as);
    const { secret, secrets } = NewWebhook.parse(JSON.parse(rotated.stdout));
    expect([secrets.length, secret === first]).toEqual([2, false]);
    const task_id = await ended();
    await untilState(task_id, "delivered");
    const [{ headers, body: event }] = receiver.received as [(typeof receiver.received)[0]];
    for (const one of [first, secret]) expect(verify(one, headers, event).data.task_id).toBe(task_id);
    const shown = await runCli(["webhooks", "deliveries", "--task", task_id], as);
    expect(shown.stdout).toContain(`✓ delivered  ${task_id}_0_${webhook_id}  1 attempt  204`);
    expect((await runCli(["webhooks", "delete", webhook_id], as)).stdout).toContain("deleted");
    expect((await runCli(["webhooks", "list"], as)).stdout).toContain("No webhooks");
    const gone = await runCli(["webhooks", "rotate", webhook_id], as);
    expect([gone.code, gone.stderr]).toEqual([2, expect.stringContaining("WEBHOOK_NOT_FOUND")]);
  });
});

describe("what is refused", () => {
  it.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "http://0/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://2852039166/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://user:secret@example.org/",
    "ftp://example.org/",
    "file:///etc/passwd",
    "not a url",
  ])("a webhook at %s", async (url) => {
    const { status, body } = await api.request<Problem>("POST", "/api/webhooks", { name: "x", url });
    const code = url.startsWith("http") ? "WEBHOOK_URL_FORBIDDEN" : "BODY_INVALID";
    expect([status, body.code]).toEqual([422, code]);
    expect(JSON.stringify(body)).not.toContain("secret");
  });

  it("another tenant's webhook and delivery, as if there were none", async () => {
    const { webhook_id } = await register();
    const task_id = await ended();
    const { delivery_id } = await untilState(task_id, "delivered");
    const other = await tenantClient(stack.url, stack.data_dir, "other");
    for (const [method, path] of [
      ["DELETE", `/api/webhooks/${webhook_id}`],
      ["POST", `/api/webhooks/${webhook_id}/rotate`],
      ["POST", `/api/webhooks/${webhook_id}/enable`],
      ["POST", `/api/deliveries/${delivery_id}/redeliver`],
    ] as const) {
      expect([path, (await other.request(method, path)).status]).toEqual([path, 404]);
    }
    expect((await other.request("GET", "/api/webhooks")).body).toEqual({ webhooks: [] });
    expect((await other.request("GET", "/api/deliveries")).body).toMatchObject({ deliveries: [] });
    expect((await api.request("GET", "/api/webhooks")).body).toMatchObject({ webhooks: [{ webhook_id }] });
  });

  it("more webhooks than a tenant may have, and a longer overlap than the policy allows", async () => {
    const { webhook_id } = await register();
    const long = await api.request<Problem>("POST", `/api/webhooks/${webhook_id}/rotate?grace_hours=9999`);
    expect([long.status, long.body.code]).toEqual([422, "GRACE_TOO_LONG"]);
    for (let made = 1; made < 10; made += 1) await register();
    const many = await api.request<Problem>("POST", "/api/webhooks", { name: "x", url: receiver.url });
    expect([many.status, many.body.code]).toEqual([409, "WEBHOOKS_TOO_MANY"]);
  });
});
