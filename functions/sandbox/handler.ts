import { defineAgent } from "#lib/agent/define-agent.ts";
import { sandbox } from "./agent.ts";

/** Queue `sandbox`. */
export const handler = defineAgent(sandbox);
