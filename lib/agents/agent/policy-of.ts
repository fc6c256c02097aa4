import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { failureFacts } from "#lib/platform/errors/failure.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import { retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import type { RetryPolicy } from "#schemas/config/retry-policy.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

interface Failed {
  platform: Pick<AgentPlatform, "retryPolicy">;
  service?: string;
  envelope: Pick<Envelope, "service" | "role" | "tenant"> | undefined;
}

/** The retry policy in force now for a message that failed with `error`. */
export function policyOf({ platform, service, envelope }: Failed, error: unknown): RetryPolicy {
  return retryPolicyFor(platform.retryPolicy().value, {
    service: envelope?.service ?? service ?? "unknown",
    role: envelope?.role,
    tenant: envelope?.tenant,
    dependency: error instanceof Fault ? error.dependency : undefined,
    code: failureFacts(error).code,
  });
}
