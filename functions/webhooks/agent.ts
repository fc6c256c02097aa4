import type { Agent } from "#lib/agents/agent/agent.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { WebhooksInput, WebhooksOutput } from "#schemas/messages/webhooks.ts";
import { deliver, sendAnew } from "./deliver.ts";
import { deliveryPlatform, webhookPorts } from "./dependencies.ts";

/** Tells a tenant's receiver that a task has ended. */
export const webhooks: Agent<typeof WebhooksInput, typeof WebhooksOutput> = {
  name: WEBHOOKS,
  input: WebhooksInput,
  output: WebhooksOutput,
  detached: { sendAnew: (envelope, parent) => sendAnew(envelope, parent, deliveryPlatform()) },
  run: (input, context) => deliver(input, context, webhookPorts()),
};
