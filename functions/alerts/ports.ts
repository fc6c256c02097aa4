import type { SNSClient } from "@aws-sdk/client-sns";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { AlertAddress } from "#lib/platform/settings/environment.ts";
import type { RateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import type { AlertsConfig } from "#schemas/config/alerts.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

/** The dependencies of sending a notice in addition to the agent's context. */
export interface NoticePorts {
  alerts(): AlertsConfig;
  /** Where sinks are, and what their messages are signed with: secrets, from the environment. */
  addresses: Readonly<Record<string, AlertAddress>>;
  sns: SNSClient;
  rules(): OutboundRules;
  limiter: RateLimiter;
  timeout_seconds: number;
  response_bytes_max: number;
  service_version: string;
  /** Resolves names; default: the system's resolver. */
  lookup?: Lookup;
}
