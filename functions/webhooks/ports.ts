import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { WebhooksConfig } from "#schemas/config/webhooks.ts";

/** The dependencies of a delivery in addition to the agent's context. */
export interface DeliveryPorts extends TablePorts {
  rules(): OutboundRules;
  policy(): WebhooksConfig;
  /** The secret from which the webhooks' secrets are derived. */
  secret_root: string;
  service_version: string;
  /** Resolves names; default: the system's resolver. */
  lookup?: Lookup;
}
