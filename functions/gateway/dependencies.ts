import type { HttpPlatform } from "#lib/http/platform.ts";
import { s3Client } from "#lib/platform/aws/clients.ts";
import { config } from "#lib/platform/config/config.ts";
import type { GatewayPorts } from "./ports.ts";

/** The gateway's ports on AWS and its emulators. */
export function gatewayPorts(platform: HttpPlatform): GatewayPorts {
  return {
    ...platform,
    table_name: platform.settings.table_name,
    s3: s3Client(),
    retryPolicy: config.retryPolicy,
    workflows: () => config.workflows().value.workflows,
    workflowsHash: () => config.workflows().hash,
    sandboxLimits: () => config.sandboxLimits().value,
  };
}
