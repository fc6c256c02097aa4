import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import { RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";
import { post } from "#lib/platform/outbound/post.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { deliveryId } from "#lib/work/webhooks/delivery.ts";
import { secretBytes, secretsInForce, signatureHeaders } from "#lib/work/webhooks/sign-webhook.ts";
import { readWebhook } from "#lib/work/webhooks/webhook-store.ts";
import type { WebhooksInput, WebhooksOutput } from "#schemas/messages/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import { disable } from "./disable.ts";
import type { DeliveryPorts } from "./ports.ts";
import { refusalOf, unreachable } from "./refusal.ts";

type Context = Pick<AgentContext, "envelope" | "signal" | "runtime" | "call" | "log">;

/**
 * One attempt at a delivery: the same id and body each time, signed anew with every secret in force.
 *
 * @throws RejectedInput `WEBHOOK_DELETED`, `WEBHOOK_DISABLED`, `WEBHOOK_GONE`, `WEBHOOK_URL_FORBIDDEN`,
 * `ADDRESS_FORBIDDEN`; TerminalFault `DELIVERY_GIVEN_UP`; what `refusalOf` and `unreachable` make of an answer
 * and of none
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
      `the receiver was away until ${envelope.deadline_at}; once it is back, deliver it again or replay it`,
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

/** The status when the receiver has taken it, or is gone for good. */
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
    throw new RejectedInput(
      "WEBHOOK_URL_FORBIDDEN",
      `the webhook's URL may not be used now: ${read.problem}`,
    );
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
