import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { webhooks } from "./agent.ts";
import { deliveryPlatform } from "./dependencies.ts";

export const handler = defineAgent(webhooks, deliveryPlatform);
