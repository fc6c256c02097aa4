import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { runStorage } from "#lib/agents/dlq/replay-job-store.ts";
import { config } from "#lib/platform/config/config.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import type { ReplayJobPorts } from "./ports.ts";

let shared: AgentPlatform | undefined;

/** The platform with claims on runs, which are kept beside their job. */
export function replayPlatform(): AgentPlatform {
  if (shared) return shared;
  const platform = awsAgentPlatform();
  const { table, runtime, settings } = platform;
  const claims = stepClaims({ table, table_name: settings.table_name, runtime }, runStorage);
  shared = { ...platform, claims };
  return shared;
}

/** The real ports, for one run. */
export function replayJobPorts(): ReplayJobPorts {
  const platform = awsAgentPlatform();
  return {
    ...platform,
    table_name: platform.settings.table_name,
    replays: () => config.replays().value,
    services: queueServices,
  };
}
