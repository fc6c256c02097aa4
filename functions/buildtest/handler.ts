import { defineAgent } from "#lib/agent/define-agent.ts";
import { buildtest } from "./agent.ts";

/** Queue `buildtest`. */
export const handler = defineAgent(buildtest);
