import { confinedCode } from "#lib/code/confined/confined-code.ts";
import type { HttpPlatform } from "#lib/http/platform.ts";
import { s3Client } from "#lib/platform/aws/clients.ts";
import { config } from "#lib/platform/config/config.ts";
import type { ComputationLimits } from "#lib/platform/confined/computation.ts";
import { outboundRules } from "#lib/platform/outbound/resolve-host.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { followTask } from "#lib/work/tasks/task-news.ts";
import type { GatewayPorts } from "./ports.ts";

/** Limit of the check of a submitted change: the client waits for it. */
const CHECK_SECONDS_MAX = 10;

/** The gateway's ports on AWS and its emulators, for a request of this tenant. */
export function gatewayPorts(platform: HttpPlatform, tenant = ""): GatewayPorts {
  return {
    ...platform,
    table_name: platform.settings.table_name,
    s3: s3Client(),
    retryPolicy: config.retryPolicy,
    followTask: followTask(platform.runtime),
    replays: () => config.replays().value,
    services: queueServices,
    workflows: () => config.workflows().value.workflows,
    workflowsHash: () => config.workflows().hash,
    sandboxLimits: () => config.sandboxLimits().value,
    codegen: () => config.codegen().value,
    outbound: () => outboundRules(config.outbound().value, platform.settings.stage),
    code: confinedCode({ tenant, limits: checkLimits(), signal: new AbortController().signal }),
  };
}

function checkLimits(): ComputationLimits {
  const limits = config.computationLimits().value;
  return { ...limits, wall_seconds_max: Math.min(limits.wall_seconds_max, CHECK_SECONDS_MAX) };
}
