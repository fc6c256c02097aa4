import { forceInForce } from "#lib/resilience/circuit/circuit-moves.ts";
import type { GuardedCall } from "#lib/resilience/circuit/dependency-guard.ts";
import { hash } from "#lib/resilience/circuit/fair-share.ts";
import { sumsOf } from "#lib/resilience/circuit/traffic.ts";
import { TROUBLE_SHARE } from "#lib/resilience/circuit/trouble.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

const SLOTS = 32;
const SLOT = /^w\d/;

/** The slot a piece of work's failures are counted in: fixed in number, however much work fails. */
export function workSlot(work: string): string {
  return `w${hash(work, 2) % SLOTS}`;
}

/** How many pieces of work failed, as far as slots tell them apart. */
export function failingWorks(counts: ReadonlyMap<string, number>): number {
  return [...counts].filter(([name, amount]) => SLOT.test(name) && amount > 0).length;
}

/** What is known when a call has failed. */
interface FailedCall {
  request: Pick<GuardedCall, "work" | "last_try">;
  record: CircuitRecord | undefined;
  /** Of the window, and of its latter half. */
  counts: ReadonlyMap<string, number>;
  recent: ReadonlyMap<string, number>;
  policy: CircuitPolicy;
  now: number;
}

/**
 * Whether a failure is the dependency's alone and costs its work no attempt. So it is while the circuit
 * is not closed; soon after it has closed, until calls of others succeed; and always where it would end
 * the work, unless the dependency is seen to be well for others: work is not given up for an outage,
 * and what fails alone is.
 */
export function isOutages({ request, record, counts, recent, policy, now }: FailedCall): boolean {
  const forced = forceInForce(record, now) !== undefined;
  if (record && !forced && record.state !== "closed") return true;
  const own = request.work === undefined ? 1 : (counts.get(workSlot(request.work)) ?? 0);
  const { calls, failures } = sumsOf(counts);
  const failed = Math.max(0, failures - own);
  const well = failed <= TROUBLE_SHARE * Math.max(0, calls - own);
  const since_closing = now - (record?.closed_at ?? Number.NEGATIVE_INFINITY);
  const recovering = (record?.recovering_until ?? 0) > now || since_closing < 2000 * policy.window_seconds;
  if (recovering && !forced) return !well || calls - failures < policy.calls_min;
  const answers = sumsOf(recent);
  return request.last_try === true && (!well || answers.calls - answers.failures < 1);
}
