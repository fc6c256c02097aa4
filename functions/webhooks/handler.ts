import { defineAgent } from "#lib/agent/define-agent.ts";
import { webhooks } from "./agent.ts";
import { deliveryPlatform } from "./dependencies.ts";

export const handler = defineAgent(webhooks, deliveryPlatform);
