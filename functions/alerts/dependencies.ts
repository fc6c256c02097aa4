import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { snsClient } from "#lib/platform/aws/clients.ts";
import { config } from "#lib/platform/config/config.ts";
import { outboundRules } from "#lib/platform/outbound/resolve-host.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { type RateLimiter, rateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import { noticePlace } from "#lib/work/observation/notice-place.ts";
import type { NoticePorts } from "./ports.ts";

let shared: AgentPlatform | undefined;
let limiter: RateLimiter | undefined;

/** The platform with claims on notices. */
export function noticePlatform(): AgentPlatform {
  if (shared) return shared;
  const platform = awsAgentPlatform();
  const { table, runtime, settings } = platform;
  shared = {
    ...platform,
    claims: stepClaims({ table, table_name: settings.table_name, runtime }, noticePlace),
  };
  return shared;
}

/** The real ports, for one notice. */
export function noticePorts(): NoticePorts {
  const { table, runtime, settings } = awsAgentPlatform();
  limiter ??= rateLimiter({ table, runtime, table_name: settings.table_name });
  const { timeout_seconds, response_bytes_max } = config.webhooks().value;
  return {
    alerts: () => config.alerts().value,
    addresses: settings.alert_sinks ?? {},
    sns: snsClient(),
    rules: () => outboundRules(config.outbound().value, settings.stage),
    limiter,
    timeout_seconds,
    response_bytes_max,
    service_version: settings.service_version,
  };
}
