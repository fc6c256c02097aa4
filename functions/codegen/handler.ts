import { defineAgent } from "#lib/agent/define-agent.ts";
import { codegen } from "./agent.ts";

/** Queue `codegen`. */
export const handler = defineAgent(codegen);
