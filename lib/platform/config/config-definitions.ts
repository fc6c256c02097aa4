import type { z } from "zod";
import { agentMessages } from "#lib/platform/config/agent-messages.ts";
import { alertFaults } from "#lib/platform/config/alert-faults.ts";
import { codegenFaults } from "#lib/platform/config/model-choice.ts";
import { routePolicyFaults } from "#lib/platform/config/route-policies.ts";
import { workflowFaults } from "#lib/platform/config/workflow-faults.ts";
import { AlertsConfig } from "#schemas/config/alerts.ts";
import { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import { AuthenticationConfig } from "#schemas/config/authentication.ts";
import { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import { CodegenConfig } from "#schemas/config/codegen.ts";
import { ComputationLimitsConfig } from "#schemas/config/computation-limits.ts";
import { GraphConfig } from "#schemas/config/graph.ts";
import { MetricsConfig } from "#schemas/config/metrics.ts";
import { OutboundConfig } from "#schemas/config/outbound.ts";
import { ReplaysConfig } from "#schemas/config/replays.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { RoutePoliciesConfig } from "#schemas/config/route-policies.ts";
import { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";
import { WebhooksConfig } from "#schemas/config/webhooks.ts";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";

/** Facts of the deployment that a configuration file must agree with. */
export interface Deployment {
  /** The services that have a queue. */
  services: readonly string[];
}

export interface ConfigDefinition<Schema extends z.ZodType = z.ZodType> {
  /** Name of the file in configs/ and of the object in the bucket. */
  name: string;
  /** The generated JSON Schema it points to. */
  schema_id: string;
  schema: Schema;
  /** Checks beyond the schema. Returns one sentence for each fault. */
  rules?: (value: z.output<Schema>, deployment: Deployment) => string[];
}

function define<Schema extends z.ZodType>(
  stem: string,
  schema: Schema,
  rules?: ConfigDefinition<Schema>["rules"],
): ConfigDefinition<Schema> {
  return {
    name: `${stem}.json`,
    schema_id: `config.${stem}.schema.json`,
    schema,
    ...(rules && { rules }),
  };
}

function fieldsOf(agent: string, end: "Input" | "Output"): Record<string, z.ZodType> | undefined {
  return Object.hasOwn(agentMessages, agent) ? (agentMessages[agent]?.[end].shape as never) : undefined;
}

/** Every file an operator may change at run time. */
export const definitions = {
  alerts: define("alerts", AlertsConfig, alertFaults),
  artifacts: define("artifacts", ArtifactsConfig),
  circuitBreaker: define("circuit_breaker", CircuitBreakerConfig),
  authentication: define("authentication", AuthenticationConfig),
  codegen: define("codegen", CodegenConfig, codegenFaults),
  computationLimits: define("computation_limits", ComputationLimitsConfig),
  graph: define("graph", GraphConfig),
  metrics: define("metrics", MetricsConfig),
  outbound: define("outbound", OutboundConfig),
  replays: define("replays", ReplaysConfig),
  retryPolicy: define("retry_policy", RetryPolicyConfig),
  routePolicies: define("route_policies", RoutePoliciesConfig, routePolicyFaults),
  sandboxLimits: define("sandbox_limits", SandboxLimitsConfig),
  webhooks: define("webhooks", WebhooksConfig),
  workflows: define("workflows", WorkflowsConfig, ({ workflows }, { services }) =>
    workflowFaults(workflows, { services, fieldsOf }).map(
      ({ workflow, position, message }) => `/workflows/${workflow}/steps/${position}: ${message}`,
    ),
  ),
};
