/** A piece of work that is parked, and when its dependency can be asked again. Times are Unix ms. */
export interface ParkedWork {
  now_ms: number;
  /** The dependency refuses work until then. */
  not_before_ms: number;
  /** How long after the dependency began to refuse this work came; undefined when that is not known. */
  arrived_after_ms?: number | undefined;
  /** Else the return is drawn from a window of this length. */
  window_ms: number;
  /** The work returns by then, whatever the rest says. Not before `not_before_ms`. */
  latest_ms: number;
}

/** Work that arrived together returns over this share of the time it arrived after the outage began. */
const SHIFT_JITTER = 0.1;

/**
 * When parked work is tried again (Unix ms): never before its dependency can take it, and spread out, so that
 * it does not return all at once.
 *
 * When it is known how long after the start of the outage the work arrived, all work returns in the order and
 * at the pace it arrived in: arrivals after the outage are the usual ones and as many parked ones. Otherwise
 * the time is drawn from a window. A return later than `latest_ms` is drawn from the second half of the time
 * until then.
 */
export function resumeTime(work: ParkedWork, random: () => number): number {
  const { now_ms, not_before_ms, arrived_after_ms, window_ms, latest_ms } = work;
  const wait_ms =
    arrived_after_ms === undefined ? window_ms * random() : arrived_after_ms * (1 + SHIFT_JITTER * random());
  if (not_before_ms + wait_ms <= latest_ms) return Math.ceil(not_before_ms + wait_ms);
  const earliest_ms = Math.max(not_before_ms, (now_ms + latest_ms) / 2);
  return Math.ceil(earliest_ms + (latest_ms - earliest_ms) * random());
}
