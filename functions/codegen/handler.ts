import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { codegen } from "./agent.ts";

/** Queue `codegen`. */
export const handler = defineAgent(codegen);
