import { circuitPolicyFor } from "#lib/resilience/circuit/guarded-call.ts";
import { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import type { Rule } from "./rule.ts";

const RETRY_FILE = "configs/retry_policy.json";
const CIRCUIT_FILE = "configs/circuit_breaker.json";

/**
 * A step's last try comes when its dependency's window tells of nothing but the time since its first:
 * sooner an outage could be taken for work that fails alone, and dead-letter it.
 */
export const lastTriesKnowCircuits: Rule = {
  name: "last-tries-know-circuits",
  check(tree) {
    if (!tree.has(RETRY_FILE) || !tree.has(CIRCUIT_FILE)) return [];
    const retries = RetryPolicyConfig.safeParse(JSON.parse(tree.read(RETRY_FILE)));
    const circuits = CircuitBreakerConfig.safeParse(JSON.parse(tree.read(CIRCUIT_FILE)));
    if (!retries.success || !circuits.success) return []; // configs-are-valid says why
    const { defaults, overrides } = retries.data;
    const layers = [{ name: "defaults", ...defaults }].concat(
      overrides.map((override, index) => ({ name: `overrides[${index}]`, ...defaults, ...override })),
    );
    const windows = Object.keys(circuits.data.circuits).map((pattern) => {
      const [service = "", role = "", dependency = ""] = pattern.split(".");
      const { window_seconds } = circuitPolicyFor(circuits.data, { service, role, dependency });
      return { circuit: pattern, window_seconds };
    });
    windows.push({ circuit: "defaults", window_seconds: circuits.data.defaults.window_seconds });
    return layers.flatMap(({ name, last_try_seconds_min }) =>
      windows
        .filter(({ window_seconds }) => window_seconds > last_try_seconds_min)
        .map(
          ({ circuit, window_seconds }) =>
            `${RETRY_FILE}: last_try_seconds_min of ${name} (${last_try_seconds_min} s) is below window_seconds of ${circuit} in ${CIRCUIT_FILE} (${window_seconds} s): raise it, or an outage dead-letters work before it is known.`,
        ),
    );
  },
};
