import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParkedFault, QuotaFault } from "#lib/platform/errors/fault.ts";
import { decideRetry } from "#lib/resilience/retry/decide-retry.ts";
import { resumeTime } from "#lib/resilience/retry/resume-time.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";

const HOUR = 3_600_000;
const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

interface Parked {
  now_ms: number;
  until_ms: number;
  /** Since when the work is parked, and since when the dependency refuses work. */
  parked_at: number;
  since_ms?: number | undefined;
  deadline_ms: number;
}

/** When a step that parks for a spent quota is tried again. */
function returnOf(parked: Parked, random: () => number, park_spread_ratio = 1): number {
  const { now_ms, until_ms, parked_at, since_ms, deadline_ms } = parked;
  const error = new QuotaFault("MODEL_QUOTA_SPENT", "m", { retry_at_ms: until_ms, since_ms });
  const lease = { attempt: 1, first_attempt_ms: 0, parked_at, parked_ms: 0 };
  const { defaults } = retryPolicy({ park_spread_ratio });
  const decision = decideRetry(
    { disposition: "park", error, lease },
    { now_ms, deadline_ms },
    defaults,
    random,
  );
  if (decision.kind !== "again") throw new Error(`ended: ${decision.because}`);
  return decision.retry_at_ms;
}

/** An outage in which one piece of work arrives each second. */
function returns(outage_s: number, known: boolean): number[] {
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: outage_s }, (_, second) => {
    const at = second * 1000;
    const since = known ? { since_ms: 0 } : {};
    const parked = { now_ms: at, until_ms: outage_s * 1000, parked_at: at, deadline_ms: 24 * HOUR };
    return returnOf({ ...parked, ...since }, random);
  });
}

describe("when parked work is tried again", () => {
  it("is never before its dependency can take it, never later than its latest time", () => {
    const works = fc.record({
      now_ms: fc.integer({ min: 0, max: HOUR }),
      wait_ms: fc.integer({ min: 0, max: HOUR }),
      arrived_after_ms: fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }),
      window_ms: fc.integer({ min: 0, max: HOUR }),
      room_ms: fc.integer({ min: 0, max: HOUR }),
    });
    fc.assert(
      fc.property(works, chance, ({ now_ms, wait_ms, room_ms, ...work }, draw) => {
        const not_before_ms = now_ms + wait_ms;
        const latest_ms = not_before_ms + room_ms;
        const at = resumeTime({ ...work, now_ms, not_before_ms, latest_ms }, () => draw);
        expect(at).toBeGreaterThanOrEqual(not_before_ms);
        expect(at).toBeLessThanOrEqual(latest_ms + 1);
      }),
    );
  });

  it("is at most half the way from the end of the wait to its deadline", () => {
    const parkings = fc.record({
      now_ms: fc.integer({ min: 0, max: HOUR }),
      until_ms: fc.integer({ min: 0, max: 2 * HOUR }),
      parked_at: fc.integer({ min: 0, max: HOUR }),
      deadline_ms: fc.integer({ min: 2 * HOUR + 1, max: 4 * HOUR }),
      since_ms: fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }),
    });
    fc.assert(
      fc.property(parkings, chance, (parked, draw) => {
        const at = returnOf(parked, () => draw);
        const until = Math.max(parked.now_ms, parked.until_ms);
        expect(at).toBeGreaterThanOrEqual(until);
        expect(at - until).toBeLessThanOrEqual((parked.deadline_ms - until) / 2 + 1);
      }),
    );
  });

  it("is at the pace at which the work arrived, when it is known since when the dependency refuses", () => {
    const outage_s = 1800;
    const at = returns(outage_s, true).map((ms) => ms / 1000 - outage_s);
    for (let second = 0; second < 2 * outage_s; second += 300) {
      const returned = at.filter((one) => one >= second && one < second + 300).length;
      expect(returned).toBeLessThanOrEqual(300); // beside 300 new ones: twice the usual
    }
    expect(at[0]).toBeLessThan(1); // what the outage met first does not wait longer
    expect(Math.max(...at)).toBeLessThan(1.2 * outage_s);
  });

  it("is spread over as long as the work was kept away, when that is not known", () => {
    const outage_s = 1800;
    const at = returns(outage_s, false).map((ms) => ms / 1000 - outage_s);
    expect(Math.max(...at)).toBeLessThanOrEqual(outage_s);
    expect(Math.max(...at)).toBeGreaterThan(outage_s / 2);
  });

  it("does not depend on how much work a tenant has parked", () => {
    const alone: Parked = { now_ms: 0, until_ms: HOUR, parked_at: 0, since_ms: 0, deadline_ms: 9 * HOUR };
    const lone = returnOf(alone, () => 0.9);
    const many = Array.from({ length: 1000 }, (_, ms) =>
      returnOf({ ...alone, now_ms: ms * 100, parked_at: ms * 100 }, () => 0.5),
    );
    expect(many.filter((at) => at < lone)).toEqual([]);
  });

  it("is at the end of the wait when the ratio is 0", () => {
    const parked = { now_ms: 0, until_ms: HOUR, parked_at: 0, deadline_ms: 9 * HOUR };
    expect(returnOf(parked, () => 0.9, 0)).toBe(HOUR);
  });

  it("is in the second half of the time there is, when the window is longer, not at one moment", () => {
    const work = { now_ms: 0, not_before_ms: 10_000, window_ms: HOUR, latest_ms: 300_000 };
    const draws = [0, 0.5, 0.99].map((draw) => {
      let drawn = 0;
      return resumeTime(work, () => (drawn++ === 0 ? 1 : draw)); // the first draw is beyond the latest time
    });
    expect(draws).toEqual([150_000, 225_000, 298_500]);
  });

  it("is drawn once: a circuit's own draw is taken as it is", () => {
    const error = new ParkedFault("CIRCUIT_OPEN", "m", { retry_after_ms: 60_000, spread: true });
    const lease = { attempt: 1, first_attempt_ms: 0, parked_at: 0, parked_ms: 0 };
    const clock = { now_ms: HOUR, deadline_ms: 9 * HOUR };
    const { defaults } = retryPolicy();
    const failed = { disposition: "park", error, lease } as const;
    expect(decideRetry(failed, clock, defaults, () => 0.9)).toMatchObject({ retry_at_ms: HOUR + 60_000 });
  });
});
