import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import type { CircuitBreakerConfig, CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** Which circuit a call belongs to. */
export interface CircuitLabels {
  service: string;
  role: string;
  /** The dependency that is called, as in `model`. */
  dependency: string;
  /** Which of several endpoints of the dependency: each has a circuit of its own. Letters, digits, `-` and `_`. */
  endpoint?: string | undefined;
  tenant: string;
  shard?: string | undefined;
}

/** One call to a dependency. */
export interface GuardedCall extends CircuitLabels {
  /** Number of the attempt, from 1. From 2 on the call counts as a retry. */
  attempt: number;
  /** Identifies the work, the same in all its attempts. Work that fails alone is recognised by it. */
  work?: string | undefined;
  /** The work ends if this attempt fails, unless the failure may be the dependency's. */
  last_try?: boolean | undefined;
  /** Unix time in ms since when the work is parked. Parked work returns in this order. */
  waiting_since_ms?: number | undefined;
  /** Unix time in ms at which the call is aborted. */
  deadline_ms?: number | undefined;
  /** The caller's own signal. An error after it was aborted says nothing about the dependency. */
  signal?: AbortSignal | undefined;
}

/** How much of the traffic to a dependency may be retries. */
export interface RetryBudget {
  /** Retries for each first attempt in the window. */
  ratio: number;
  /** Retries a minute that are always admitted, over the whole fleet. */
  floor_per_minute: number;
}

/**
 * What a guard needs from its surroundings. It keeps no state outside its process and the table: any table with
 * string keys `pk` and `sk` and TTL on `expires_at`.
 */
export interface GuardPorts extends TablePorts {
  runtime: Runtime;
  log: Log;
  /** Counts transitions and refused calls; `DependencyGuard.with` replaces it for one invocation. */
  counters?: Counters | undefined;
  /** The policy in force; read anew for every call. */
  circuitPolicy(): Loaded<CircuitBreakerConfig>;
  retryBudget(labels: CircuitLabels): RetryBudget;
}

const ENDPOINT_MARK = "@";

/** The labels that decide on the policy of the circuit with this key. */
export function labelsOfCircuit(key: string): Pick<CircuitLabels, "service" | "role" | "dependency"> {
  const [service = "", role = "", named = ""] = key.split(".");
  const [dependency = ""] = named.split(ENDPOINT_MARK);
  return { service, role, dependency };
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

/** `service.role.dependency`, with `@endpoint` where it has several, followed by the tenant or the shard when each has a circuit of its own. */
export function circuitKey(labels: CircuitLabels, { scope }: Pick<CircuitPolicy, "scope">): string {
  const { service, role, tenant, shard = "0" } = labels;
  const dependency = [labels.dependency, ...(labels.endpoint ? [labels.endpoint] : [])].join(ENDPOINT_MARK);
  const own = { fleet: [], tenant: [tenant], shard: [shard] }[scope];
  return [service, role, dependency, ...own].join(".");
}
