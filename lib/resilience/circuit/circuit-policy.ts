import type { CircuitBreakerConfig, CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** Whose call it is. */
export interface CircuitLabels {
  service: string;
  role: string;
  /** What is called, as in `model`. */
  dependency: string;
  tenant: string;
  shard?: string | undefined;
}

/** The defaults, changed by every pattern that matches: those that name more parts have the last word. */
export function circuitPolicyFor(
  { defaults, circuits }: CircuitBreakerConfig,
  { service, role, dependency }: Pick<CircuitLabels, "service" | "role" | "dependency">,
): CircuitPolicy {
  const parts = [service, role, dependency];
  const named = (pattern: string) => pattern.split(".").filter((part) => part !== "*").length;
  const matching = Object.entries(circuits)
    .filter(([pattern]) => pattern.split(".").every((part, index) => part === "*" || part === parts[index]))
    .sort(([one], [other]) => named(one) - named(other));
  return Object.assign({}, defaults, ...matching.map(([, changes]) => changes));
}

/** `service.role.dependency`, with the tenant or the shard where each has a circuit of its own. */
export function circuitKey(labels: CircuitLabels, { scope }: Pick<CircuitPolicy, "scope">): string {
  const { service, role, dependency, tenant, shard = "0" } = labels;
  const parts = [service, role, dependency];
  if (scope === "tenant") parts.push(tenant);
  if (scope === "shard") parts.push(shard);
  return parts.join(".");
}
