import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import { failingWorks, TROUBLE_SHARE, totalsOf, workSlot } from "#lib/resilience/circuit/call-counts.ts";
import { forceInForce, type Reason } from "#lib/resilience/circuit/circuit-state.ts";
import type { GuardedCall } from "#lib/resilience/circuit/guarded-call.ts";
import type { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";

/*
 * What failed calls say: about the dependency, about its circuit, and about the work that made them.
 */

/**
 * Whether an error says that the dependency is unavailable: its disposition is `retry` or `throttle`, and it does not
 * say that the dependency answered.
 */
export function isUnavailability(error: unknown): boolean {
  if (error instanceof Fault && error.dependency_answered) return false;
  const disposition = dispositionOf(error);
  return disposition === "retry" || disposition === "throttle";
}

/**
 * Why a closed circuit must open; undefined when it must not. A single piece of work that fails while other calls
 * succeed says nothing about the dependency.
 */
export function reasonToOpen({ streak, totals, policy }: SharedCircuit): Reason | undefined {
  const { calls, failures, slow } = totals;
  const of_all = `of ${calls} calls in ${policy.window_seconds} s`;
  const single_work = failingWorks(totals) < 2 && calls > failures;
  if (streak >= policy.consecutive_failures_open && !single_work) {
    return { code: "CONSECUTIVE_FAILURES", why: `${streak} calls in a row failed` };
  }
  if (calls < policy.calls_min) return undefined;
  if (failures > 0 && failures / calls >= policy.failure_rate_open && !single_work) {
    return { code: "FAILURE_RATE", why: `${failures} ${of_all} failed` };
  }
  if (slow > 0 && slow / calls >= policy.slow_rate_open) {
    return { code: "SLOW_RATE", why: `${slow} ${of_all} took over ${policy.slow_call_ms} ms` };
  }
  return undefined;
}

/**
 * True when a failure at `now` counts against the dependency, not against the step's attempts. That is the case
 * - while the circuit is not closed;
 * - while it recovers, and for two windows after it closed, until `calls_min` calls of others have succeeded;
 * - for the last attempt of the work, unless calls of others succeed: an outage alone must not end work, and work
 *   that fails alone must not be tried for ever.
 */
export function isDependencyFailure(call: GuardedCall, circuit: SharedCircuit, now: number): boolean {
  const { record, policy, totals } = circuit;
  const is_forced = forceInForce(record, now) !== undefined;
  if (record && !is_forced && record.state !== "closed") return true;
  const { calls, failures } = totals;
  const own = call.work === undefined ? 1 : (totals.slots.get(workSlot(call.work)) ?? 0);
  const failures_of_others = Math.max(0, failures - own);
  const others_succeed = failures_of_others <= TROUBLE_SHARE * Math.max(0, calls - own);
  const since_closing_ms = now - (record?.closed_at ?? Number.NEGATIVE_INFINITY);
  const recovering = (record?.recovering_until ?? 0) > now || since_closing_ms < 2000 * policy.window_seconds;
  if (recovering && !is_forced) return !others_succeed || calls - failures < policy.calls_min;
  const lately = totalsOf(circuit.counts(), now - policy.window_seconds * 500);
  return call.last_try === true && (!others_succeed || lately.calls - lately.failures < 1);
}
