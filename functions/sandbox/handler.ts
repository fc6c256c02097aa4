import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { sandbox } from "./agent.ts";

/** Queue `sandbox`. */
export const handler = defineAgent(sandbox);
