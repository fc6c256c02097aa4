import { instant } from "#lib/platform/runtime/runtime.ts";
import { throttledShare } from "#lib/resilience/circuit/admission.ts";
import { forceInForce } from "#lib/resilience/circuit/circuit-moves.ts";
import { circuitPolicyFor } from "#lib/resilience/circuit/circuit-policy.ts";
import type { SharedState } from "#lib/resilience/circuit/circuit-table.ts";
import { allowanceOf, allowedShare } from "#lib/resilience/circuit/recovery.ts";
import { countedSince, sumsOf, sumTraffic } from "#lib/resilience/circuit/traffic.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import type { CircuitView } from "#schemas/http/circuits.ts";

/** A circuit as the API shows it at `now` (Unix ms). */
export function circuitView(
  { record, traffic }: SharedState,
  config: CircuitBreakerConfig,
  now: number,
): CircuitView {
  const [service = "", role = "", dependency = ""] = record.key.split(".");
  const policy = circuitPolicyFor(config, { service, role, dependency });
  const { failures, calls, slow, damped, held, retry_calls } = sumsOf(
    sumTraffic([traffic], countedSince(now, record.counted_from, policy)),
  );
  const sums = { calls, failures, slow, damped: damped + held };
  const allowance = allowanceOf(record, [traffic], policy, now);
  const ramped = allowance ? allowedShare(allowance) : 1;
  const throttled = throttledShare({ calls, failures, damped }, policy);
  const orNull = (at: number | undefined) => (at === undefined ? null : instant(at));
  return {
    key: record.key,
    state: record.state,
    since: record.trail.at(-1)?.at ?? null,
    generation: record.generation,
    window: { seconds: policy.window_seconds, ...sums, retries: retry_calls },
    admitted_share: record.state === "closed" ? Math.min(ramped, throttled) : 0,
    next_probe_at: record.state === "open" ? orNull(record.next_probe_at) : null,
    probe_until: orNull(record.probe_until),
    opens: record.opens,
    forced: forceInForce(record, now) ?? null,
    trail: record.trail,
  };
}
