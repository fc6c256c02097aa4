/** The furthest another clock is followed: beyond that it is wrong, not ahead. */
const AHEAD_US_MAX = 60_000_000;

/**
 * Time as the environments that share buckets have it: this machine's clock, never going back, moved
 * ahead to the latest one seen in an item. So a clock that is behind is not refused what others get.
 */
export interface SharedClock {
  now_us(): number;
  /** Another environment's clock, at some moment before now. */
  saw(written_us: number): void;
}

export function sharedClock(now: () => number): SharedClock {
  let ahead_us = 0;
  let latest_us = 0;
  return {
    now_us() {
      latest_us = Math.max(latest_us, Math.floor(now() * 1000) + ahead_us);
      return latest_us;
    },
    saw(written_us) {
      const ahead = written_us - Math.floor(now() * 1000);
      if (ahead > ahead_us && ahead <= AHEAD_US_MAX) ahead_us = ahead;
    },
  };
}
