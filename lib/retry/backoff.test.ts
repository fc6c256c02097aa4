import { describe, expect, it } from "vitest";
import { backoffMs } from "#lib/retry/backoff.ts";

const policy = {
  $schema: "",
  attempts_max: 5,
  backoff_ms_base: 100,
  backoff_ms_max: 1000,
  throttle_backoff_ms_base: 400,
  redispatch_seconds: 1,
};
const longest = () => 1;

describe("back-off with full jitter", () => {
  it("doubles its ceiling with every attempt, up to the cap", () => {
    const waits = [1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(policy, "retry", attempt, longest));
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it("starts higher when throttled", () => {
    expect(backoffMs(policy, "throttle", 1, longest)).toBe(400);
  });

  it("spreads waits over the whole range", () => {
    expect(backoffMs(policy, "retry", 4, () => 0.25)).toBe(200);
    expect(backoffMs(policy, "retry", 4, () => 0)).toBe(0);
  });
});
