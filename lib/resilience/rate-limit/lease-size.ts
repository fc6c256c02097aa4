/** A lease that lasts this long is worth its write; longer would keep from others what they need. */
const HOT_SECONDS = 1;
/** Where few come, a lease may last longer, so that a write still serves several requests. */
const QUIET_SECONDS = 40;
const QUIET_REQUESTS = 8;
const SCARCE_REQUESTS = 4;
/** From lease to lease: few requests more are soon worth a write, many only if they keep coming. */
const QUIET_GROWTH = 4;
const HOT_GROWTH = 2;
const RATE_SECONDS_MIN = 0.1;

/** How many requests to lease at a time, from how fast they come here. */
export interface LeaseSize {
  arrived(): void;
  /** `scarce`: what one holds, another waits for. Grows by steps from lease to lease: a burst of a moment is no rate. */
  next(now_us: number, burst: number, scarce: boolean): number;
}

export function leaseSize(now_us: number): LeaseSize {
  let arrivals = 0;
  let since_us = now_us;
  let last = 0.25;
  return {
    arrived() {
      arrivals += 1;
    },
    next(at_us, burst, scarce) {
      const seconds = Math.max(RATE_SECONDS_MIN, (at_us - since_us) / 1_000_000);
      const rate = arrivals / seconds;
      const quiet = Math.min(scarce ? SCARCE_REQUESTS : QUIET_REQUESTS, rate * QUIET_SECONDS);
      const wanted = Math.max(rate * HOT_SECONDS, quiet);
      const cap = Math.max(1, Math.floor(burst / 4));
      const grown = Math.max(Math.min(QUIET_REQUESTS, last * QUIET_GROWTH), last * HOT_GROWTH);
      last = Math.max(1, Math.min(Math.ceil(wanted), Math.ceil(grown), cap));
      arrivals = 0;
      since_us = at_us;
      return last;
    },
  };
}
