import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { WebhooksConfig } from "#schemas/config/webhooks.ts";

/** What a delivery needs beside the agent's context. */
export interface DeliveryPorts extends TablePorts {
  rules(): OutboundRules;
  policy(): WebhooksConfig;
  /** What webhooks' secrets follow from. */
  secret_root: string;
  service_version: string;
  /** Resolves names, when the system is not to. */
  lookup?: Lookup;
}
