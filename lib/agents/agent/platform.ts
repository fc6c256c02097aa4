import { config } from "#lib/platform/config/config.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import type { InvocationPorts } from "#lib/platform/lambda/invocation.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { awsGuard } from "#lib/resilience/circuit/aws-guard.ts";
import type { DependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import { type Claims, stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** All dependencies of the stack of a queue-fed function. A simulation provides its own. */
export interface AgentPlatform extends InvocationPorts, SendPorts {
  settings: Settings;
  claims: Claims;
  retryPolicy(): Loaded<RetryPolicyConfig>;
  /** How long records and objects are kept. */
  artifacts(): Loaded<ArtifactsConfig>;
  /** Admits or refuses every dependency call of an agent; without it every call is admitted. */
  guard?: DependencyGuard;
  deadLetterQueueUrl(service: string): string;
}

let shared: AgentPlatform | undefined;

/** The platform of agents on AWS, LocalStack and the embedded stack; one for each process. */
export function awsAgentPlatform(): AgentPlatform {
  if (shared) return shared;
  const ports = awsPorts();
  const { table, settings, runtime } = ports;
  shared = {
    ...ports,
    claims: stepClaims({ table, table_name: settings.table_name, runtime }),
    retryPolicy: config.retryPolicy,
    guard: awsGuard(),
  };
  return shared;
}
