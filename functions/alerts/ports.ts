import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { RateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import type { AlertsConfig } from "#schemas/config/alerts.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

/** Where a sink is, and what its messages are signed with: secrets, from the environment. */
export interface SinkAddress {
  url: string;
  /** Of a signed webhook. */
  secret?: string | undefined;
}

/** The dependencies of sending a notice in addition to the agent's context. */
export interface NoticePorts {
  alerts(): AlertsConfig;
  addresses: Readonly<Record<string, SinkAddress>>;
  rules(): OutboundRules;
  limiter: RateLimiter;
  timeout_seconds: number;
  response_bytes_max: number;
  service_version: string;
  /** Resolves names; default: the system's resolver. */
  lookup?: Lookup;
}
