import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { coder } from "./agent.ts";

/** Queue `coder`. */
export const handler = defineAgent(coder);
