import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { config } from "#lib/platform/config/config.ts";
import { outboundRules } from "#lib/platform/outbound/resolve-host.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { deliveryPlace } from "#lib/work/webhooks/delivery-store.ts";
import { rootSecret } from "#lib/work/webhooks/sign-webhook.ts";
import type { DeliveryPorts } from "./ports.ts";

let shared: AgentPlatform | undefined;

/** The platform with claims on deliveries, which are kept beside their task's ledger. */
export function deliveryPlatform(): AgentPlatform {
  if (shared) return shared;
  const platform = awsAgentPlatform();
  const { table, runtime, settings } = platform;
  const claims = stepClaims({ table, table_name: settings.table_name, runtime }, deliveryPlace);
  shared = { ...platform, claims };
  return shared;
}

/** The real ports, for one delivery. */
export function webhookPorts(): DeliveryPorts {
  const { table, settings } = awsAgentPlatform();
  return {
    table,
    table_name: settings.table_name,
    rules: () => outboundRules(config.outbound().value, settings.stage),
    policy: () => config.webhooks().value,
    secret_root: rootSecret(settings),
    service_version: settings.service_version,
  };
}
