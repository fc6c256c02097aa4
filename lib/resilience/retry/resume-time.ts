import type { RetryPolicy } from "#schemas/config/retry-policy.ts";

/** What is known when work is parked. Times are Unix ms. */
export interface Parking {
  now_ms: number;
  /** When the dependency says it can be asked again. */
  until_ms: number;
  /** Since when this work is kept away. */
  parked_at: number;
  /** Since when the dependency refuses work, when that is known. */
  since_ms?: number | undefined;
  deadline_ms: number;
}

/** How long work that is parked for moments may be kept away for the sake of the others. */
const WINDOW_MS_MAX = 300_000;
/** A shift is so much longer than the outage: room below twice the usual rate for the draw below. */
const SHIFT_FACTOR = 1.1;
/** What came at one moment comes back over this share of the time it came after the outage began. */
const SHIFT_JITTER = 0.02;

/**
 * When parked work is tried again (Unix ms): not before `until_ms`, and not all of it at once.
 *
 * When it is known since when the dependency refuses, work comes back in the order and at the pace it
 * came in, shifted by the length of the outage: with `park_spread_ratio` 1 arrivals after it are the
 * usual ones and as many parked ones. Otherwise the return is drawn from a window as long as the wait,
 * or, when work is parked again and again for moments, as long as it was kept away, up to five minutes:
 * whoever parks so lets it in bit by bit himself. Either way at most half of what is left until the
 * deadline is spent on it.
 */
export function resumeTime(
  { now_ms, until_ms, parked_at, since_ms, deadline_ms }: Parking,
  { park_spread_ratio }: Pick<RetryPolicy, "park_spread_ratio">,
  random: () => number,
): number {
  const until = Math.max(now_ms, until_ms);
  const wanted_ms =
    since_ms === undefined
      ? Math.max(until - now_ms, Math.min(until - parked_at, WINDOW_MS_MAX)) * random()
      : Math.max(0, parked_at - since_ms) * (SHIFT_FACTOR + SHIFT_JITTER * random());
  const wait_ms = Math.max(0, wanted_ms * park_spread_ratio);
  const room_ms = Math.max(0, (deadline_ms - until) / 2);
  return Math.ceil(until + (wait_ms <= room_ms ? wait_ms : room_ms * random()));
}
