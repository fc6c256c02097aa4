import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { indexing } from "./agent.ts";

export const handler = defineAgent(indexing);
