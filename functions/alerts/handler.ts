import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { alerts } from "./agent.ts";
import { noticePlatform } from "./dependencies.ts";

/** Queue `alerts`. */
export const handler = defineAgent(alerts, noticePlatform);
