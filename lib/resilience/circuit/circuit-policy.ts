import type { CircuitBreakerConfig, CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** Which circuit a call belongs to. */
export interface CircuitLabels {
  service: string;
  role: string;
  /** The dependency that is called, as in `model`. */
  dependency: string;
  tenant: string;
  shard?: string | undefined;
}

/** The defaults, overlaid with every pattern that matches; a pattern that names more parts wins. */
export function circuitPolicyFor(
  { defaults, circuits }: CircuitBreakerConfig,
  { service, role, dependency }: Pick<CircuitLabels, "service" | "role" | "dependency">,
): CircuitPolicy {
  const parts = [service, role, dependency];
  const namedParts = (pattern: string) => pattern.split(".").filter((part) => part !== "*").length;
  const matching = Object.entries(circuits)
    .filter(([pattern]) => pattern.split(".").every((part, index) => part === "*" || part === parts[index]))
    .sort(([one], [other]) => namedParts(one) - namedParts(other));
  return Object.assign({}, defaults, ...matching.map(([, changes]) => changes));
}

/** `service.role.dependency`, followed by the tenant or the shard when each has a circuit of its own. */
export function circuitKey(labels: CircuitLabels, { scope }: Pick<CircuitPolicy, "scope">): string {
  const { service, role, dependency, tenant, shard = "0" } = labels;
  const parts = [service, role, dependency];
  if (scope === "tenant") parts.push(tenant);
  if (scope === "shard") parts.push(shard);
  return parts.join(".");
}
