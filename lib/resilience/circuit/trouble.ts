import type { Sums } from "#lib/resilience/circuit/traffic.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** Failures, slow and damped calls beyond this share of all are trouble. */
export const TROUBLE_SHARE = 0.1;

/**
 * Whether others should know soon, and be asked soon. Judged by each of `seen`: an environment with
 * few calls would else keep its failures to itself for a window, for they are few among all.
 */
export function isTroubled(record: CircuitRecord | undefined, now: number, seen: readonly Sums[]): boolean {
  if (record && (record.state !== "closed" || record.forced)) return true;
  if ((record?.recovering_until ?? 0) > now) return true;
  return seen.some(
    ({ calls, failures, slow, damped, held }) =>
      held > 0 || failures + slow + damped > TROUBLE_SHARE * (calls + damped),
  );
}
