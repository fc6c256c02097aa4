import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import { RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import { post } from "#lib/platform/outbound/post.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { TableClient, TablePorts } from "#lib/platform/table/operations.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { deliveryId, sendDelivery } from "#lib/work/webhooks/delivery.ts";
import { readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import { refusalOf, unreachable } from "#lib/work/webhooks/judge-receiver.ts";
import { secretBytes, secretsInForce, signatureHeaders } from "#lib/work/webhooks/sign-webhook.ts";
import { moveWebhook, readWebhook } from "#lib/work/webhooks/webhook-store.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { WebhooksInput, WebhooksOutput } from "#schemas/messages/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import type { DeliveryPorts } from "./ports.ts";

type Context = Pick<AgentContext, "envelope" | "signal" | "runtime" | "call" | "log">;

/**
 * One attempt at a delivery: the same id and body each time, signed anew with every secret in force.
 *
 * @throws RejectedInput `WEBHOOK_DELETED`, `WEBHOOK_DISABLED`, `WEBHOOK_GONE`, `WEBHOOK_URL_FORBIDDEN`,
 * `ADDRESS_FORBIDDEN`; TerminalFault `DELIVERY_GIVEN_UP`; the faults of `refusalOf` for a
 * response and of `unreachable` for none
 */
export async function deliver(
  { webhook_id, event }: WebhooksInput,
  context: Context,
  ports: DeliveryPorts,
): Promise<AgentResult<WebhooksOutput>> {
  const { envelope, runtime } = context;
  if (runtime.now() >= Date.parse(envelope.deadline_at)) {
    throw new TerminalFault(
      "DELIVERY_GIVEN_UP",
      `the receiver did not accept the event before ${envelope.deadline_at}; when it works again, redeliver the event or replay the message`,
    );
  }
  const webhook = await readWebhook(envelope.tenant, webhook_id, ports);
  if (!webhook) throw new RejectedInput("WEBHOOK_DELETED", "the webhook was deleted; nothing is sent to it");
  if (webhook.disabled_at) {
    throw new RejectedInput("WEBHOOK_DISABLED", "the webhook is disabled; enable it, then deliver it again");
  }
  const { task_id, ending } = event.data;
  const id = deliveryId({ task_id, ending, webhook_id });
  const started = runtime.now();
  const status_code = await context.call(`webhook-${webhook_id}`, (signal) =>
    attempt(webhook, { id, body: JSON.stringify(event) }, { ...context, signal }, ports),
  );
  if (status_code === 410) await giveUp(webhook, context, ports);
  return { verdict: "passed", output: { status_code, duration_ms: runtime.now() - started } };
}

/** Sends the event once. Returns the status when the receiver accepted it (2xx) or answered 410; otherwise throws. */
async function attempt(
  webhook: WebhookRecord,
  { id, body }: { id: string; body: string },
  { runtime, signal }: Context,
  ports: DeliveryPorts,
): Promise<number> {
  const rules = ports.rules();
  const { timeout_seconds, response_bytes_max } = ports.policy();
  const read = readUrl(webhook.url, rules);
  if (!("url" in read)) {
    throw new RejectedInput("WEBHOOK_URL_FORBIDDEN", `the webhook's URL is not allowed now: ${read.problem}`);
  }
  const now_ms = runtime.now();
  const secrets = secretsInForce(webhook, now_ms).map(({ number }) =>
    secretBytes(ports.secret_root, webhook, number),
  );
  const headers = {
    "content-type": "application/json",
    "user-agent": `distributed-agents/${ports.service_version}`,
    ...signatureHeaders({ id, now_ms, body }, secrets),
  };
  const { lookup } = ports;
  const options = { rules, timeout_ms: timeout_seconds * 1000, response_bytes_max, signal, lookup };
  const answer = await post({ url: read.url, headers, body }, options).catch((error: unknown) => {
    throw unreachable(error, signal, timeout_seconds);
  });
  const refusal = answer.status === 410 ? undefined : refusalOf(answer, runtime.now());
  if (refusal) throw refusal;
  return answer.status;
}

async function giveUp(
  webhook: WebhookRecord,
  { runtime, log }: Context,
  ports: DeliveryPorts,
): Promise<never> {
  await disable(webhook, "WEBHOOK_GONE", instant(runtime.now()), ports);
  log.warn("WEBHOOK_DISABLED", "a receiver answered 410 Gone; nothing more is sent to it", {
    webhook_id: webhook.webhook_id,
  });
  throw new RejectedInput(
    "WEBHOOK_GONE",
    "the receiver answered 410 Gone, so the webhook is disabled; enable it when it is back",
  );
}

const RACES_MAX = 5;

/** Disables a webhook. When its tenant changed it since it was read, the new version is read and disabled too. */
async function disable(
  seen: WebhookRecord,
  disabled_because: string,
  disabled_at: string,
  ports: TablePorts,
): Promise<void> {
  let webhook: WebhookRecord | undefined = seen;
  for (let races = 0; races < RACES_MAX && webhook && !webhook.disabled_at; races += 1) {
    const disabled = { ...webhook, disabled_at, disabled_because };
    if (await moveWebhook(webhook, disabled, ports)) return;
    webhook = await readWebhook(seen.tenant, seen.webhook_id, ports);
  }
}

interface SendAnewPorts extends SendPorts {
  table: TableClient;
  settings: Pick<Settings, "shard" | "table_name">;
}

/** Sends a new message for a delivery whose deadline was extended since. False when the deadline has passed. */
export async function sendAnew(
  envelope: Envelope,
  parent: TraceContext,
  platform: SendAnewPorts,
): Promise<boolean> {
  const { table_name } = platform.settings;
  const delivery = await readDelivery(envelope, { ...platform, table_name });
  if (!delivery || Date.parse(delivery.deadline_at) <= platform.runtime.now()) return false;
  await sendDelivery(delivery, parent, platform);
  return true;
}
