import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import {
  type Count,
  countsIn,
  type Totals,
  TROUBLE_SHARE,
  workSlot,
} from "#lib/resilience/circuit/call-counts.ts";
import { forceInForce, type Reason } from "#lib/resilience/circuit/circuit-state.ts";
import type { GuardedCall } from "#lib/resilience/circuit/guarded-call.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * What failed calls say: about the dependency, about its circuit, and about the work that made them.
 */

/** What a call says about its dependency. `no_evidence`: it ended for reasons of the caller's. */
export type CallOutcome = "answered" | "failed" | "no_evidence";

interface FailedCall {
  error: unknown;
  /** The caller's own signal was aborted. */
  aborted: boolean;
  /** The call met its deadline. */
  late: boolean;
  elapsed_ms: number;
  slow_call_ms: number;
}

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
 * An error of disposition `park` means that the call waited for something else; any other that is no unavailability
 * is an answer. A call that met its deadline failed only if it had the time that a call may take.
 */
export function outcomeOfError({ error, aborted, late, elapsed_ms, slow_call_ms }: FailedCall): CallOutcome {
  if (aborted) return "no_evidence";
  if (late) return elapsed_ms >= slow_call_ms ? "failed" : "no_evidence";
  if (isUnavailability(error)) return "failed";
  return dispositionOf(error) === "park" ? "no_evidence" : "answered";
}

/**
 * Why a closed circuit must open; undefined when it must not. `failing_works` is how many pieces of work failed:
 * a single one that fails while other calls succeed says nothing about the dependency.
 */
export function reasonToOpen(
  { calls, failures, slow }: Record<Count, number>,
  { streak, failing_works }: { streak: number; failing_works: number },
  policy: CircuitPolicy,
): Reason | undefined {
  const of_all = `of ${calls} calls in ${policy.window_seconds} s`;
  const single_work = failing_works < 2 && calls > failures;
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

/** What is known when a call has failed. */
interface KnownFailure {
  call: Pick<GuardedCall, "work" | "last_try">;
  record: CircuitRecord | undefined;
  /** Of the window, and of the latter half of it. */
  totals: Totals;
  recent: Totals;
  policy: CircuitPolicy;
  now: number;
}

/**
 * True when the failure counts against the dependency, not against the step's attempts. That is the case
 * - while the circuit is not closed;
 * - while it recovers, and for two windows after it closed, until `calls_min` calls of others have succeeded;
 * - for the last attempt of the work, unless calls of others succeed: an outage alone must not end work, and work
 *   that fails alone must not be tried for ever.
 */
export function isDependencyFailure(failure: KnownFailure): boolean {
  const { call, record, totals, recent, policy, now } = failure;
  const is_forced = forceInForce(record, now) !== undefined;
  if (record && !is_forced && record.state !== "closed") return true;
  const own = call.work === undefined ? 1 : (totals.get(workSlot(call.work)) ?? 0);
  const { calls, failures } = countsIn(totals);
  const failures_of_others = Math.max(0, failures - own);
  const others_succeed = failures_of_others <= TROUBLE_SHARE * Math.max(0, calls - own);
  const since_closing_ms = now - (record?.closed_at ?? Number.NEGATIVE_INFINITY);
  const recovering = (record?.recovering_until ?? 0) > now || since_closing_ms < 2000 * policy.window_seconds;
  if (recovering && !is_forced) return !others_succeed || calls - failures < policy.calls_min;
  const lately = countsIn(recent);
  return call.last_try === true && (!others_succeed || lately.calls - lately.failures < 1);
}
