import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { replays } from "./agent.ts";
import { replayPlatform } from "./dependencies.ts";

export const handler = defineAgent(replays, replayPlatform);
