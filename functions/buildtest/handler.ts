import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { buildtest } from "./agent.ts";

/** Queue `buildtest`. */
export const handler = defineAgent(buildtest);
