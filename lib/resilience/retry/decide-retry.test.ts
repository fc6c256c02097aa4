import { describe, expect, it } from "vitest";
import { ParkedFault, QuotaFault, RetryableFault, ThrottledFault } from "#lib/platform/errors/fault.ts";
import { decideRetry, type FailedAttempt } from "#lib/resilience/retry/decide-retry.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";

const now_ms = 1_000_000;
const clock = { now_ms, deadline_ms: now_ms + 3_600_000 };
const lease = { attempt: 1, first_attempt_ms: now_ms, parked_at: undefined, parked_ms: 0 };
const flaky = new RetryableFault("EMBEDDER_FAILED", "m");

function decide(
  failed: Partial<FailedAttempt>,
  policy: Record<string, unknown> = {},
  random = 1,
  at = clock,
) {
  const { defaults } = retryPolicy(policy);
  return decideRetry({ disposition: "retry", error: flaky, lease, ...failed }, at, defaults, () => random);
}

describe("a failed try", () => {
  it("is repeated after its back-off while there are attempts left, and not after the last", () => {
    expect(decide({})).toEqual({ kind: "again", disposition: "retry", retry_at_ms: now_ms + 1000 });
    const last = { lease: { ...lease, attempt: 5 } };
    expect(decide(last)).toEqual({ kind: "end", because: "attempts", dead_letter: true });
  });

  it("is repeated when the dependency asked for it, longer than our own cap", () => {
    const error = new ThrottledFault("MODEL_THROTTLED", "m", { retry_after_ms: 300_000 });
    expect(decide({ error, disposition: "throttle" })).toMatchObject({ retry_at_ms: now_ms + 300_000 });
  });

  it("is not repeated beyond total_seconds_max, in which parking is not counted", () => {
    const old = { ...lease, first_attempt_ms: now_ms - 60_000 };
    const policy = { total_seconds_max: 60 };
    expect(decide({ lease: old }, policy)).toEqual({ kind: "end", because: "time", dead_letter: true });
    expect(decide({ lease: { ...old, parked_ms: 30_000 } }, policy)).toMatchObject({ kind: "again" });
  });

  it("leaves room for one more try before the deadline", () => {
    const soon = { now_ms, deadline_ms: now_ms + 500 };
    expect(decide({}, {}, 1, soon)).toMatchObject({ retry_at_ms: now_ms + 250 });
  });

  it("is the last one only when it is known whether its dependency fails others too", () => {
    const error = new RetryableFault("MODEL_UNAVAILABLE", "m", { dependency: "model" });
    const fourth = { ...lease, attempt: 4, first_attempt_ms: now_ms - 5000 };
    const decision = (changes: Partial<FailedAttempt>) => decide({ lease: fourth, error, ...changes });
    expect(decision({})).toMatchObject({ kind: "again", retry_at_ms: now_ms + 55_000 });
    expect(decision({ lease: { ...fourth, attempt: 3 } })).toMatchObject({ retry_at_ms: now_ms + 4000 });
    expect(decision({ error: flaky })).toMatchObject({ retry_at_ms: now_ms + 8000 });
    const soon = { now_ms, deadline_ms: now_ms + 10_000 };
    expect(decide({ lease: fourth, error }, {}, 1, soon)).toMatchObject({ retry_at_ms: now_ms + 5000 });
  });

  it("ends at once, and not in the DLQ, when what it waits for comes after its deadline", () => {
    const error = new QuotaFault("MODEL_QUOTA_SPENT", "m", { retry_at_ms: clock.deadline_ms });
    const expected = { kind: "end", because: "deadline", dead_letter: false };
    expect(decide({ error, disposition: "park" })).toEqual(expected);
    expect(decide({ error, disposition: "throttle" })).toEqual(expected);
  });
});

describe("parked work", () => {
  it("waits until the time it is told, however many attempts it has had", () => {
    const error = new QuotaFault("MODEL_QUOTA_SPENT", "m", { retry_at_ms: now_ms + 600_000 });
    const failed = { error, disposition: "park" as const, lease: { ...lease, attempt: 5 } };
    expect(decide(failed, {}, 0)).toEqual({
      kind: "again",
      disposition: "park",
      retry_at_ms: now_ms + 600_000,
    });
  });

  it("is not spread again when its wait was drawn already, and has one more try before its deadline", () => {
    const error = new ParkedFault("CIRCUIT_OPEN", "m", { retry_after_ms: 200_000, spread: true });
    const failed = { error, disposition: "park" as const };
    for (const random of [0, 1]) {
      expect(decide(failed, {}, random)).toMatchObject({ kind: "again", retry_at_ms: now_ms + 200_000 });
    }
    const soon = { now_ms, deadline_ms: now_ms + 100_000 };
    expect(decide(failed, {}, 1, soon)).toMatchObject({ kind: "again", retry_at_ms: now_ms + 50_000 });
  });

  it("waits a slow back-off when it is told no time", () => {
    const error = new ParkedFault("IN_PROGRESS", "m");
    const decision = decide({ error, disposition: "park" }, { park_spread_ratio: 0 });
    expect(decision).toMatchObject({ retry_at_ms: now_ms + 5000 });
  });
});
