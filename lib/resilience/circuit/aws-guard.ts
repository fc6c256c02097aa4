import { documentClient } from "#lib/platform/aws/clients.ts";
import { config } from "#lib/platform/config/config.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { settings } from "#lib/platform/settings/environment.ts";
import { type DependencyGuard, dependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import { retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";

let shared: DependencyGuard | undefined;

/** The circuits of this process on AWS and its emulators, by the configuration in force. */
export function awsGuard(): DependencyGuard {
  shared ??= dependencyGuard({
    runtime: systemRuntime,
    table: documentClient(),
    table_name: settings().table_name,
    log: jsonLog({ service: "circuit" }),
    circuitPolicy: config.circuitBreaker,
    retryBudget: (labels) => {
      const policy = retryPolicyFor(config.retryPolicy().value, labels);
      return { ratio: policy.retry_budget_ratio, floor_per_minute: policy.retry_budget_floor_per_minute };
    },
  });
  return shared;
}
