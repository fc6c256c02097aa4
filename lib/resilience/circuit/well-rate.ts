import { ALWAYS, type Traffic } from "#lib/resilience/circuit/traffic.ts";

/** What is usual over all environments. */
export interface Usual {
  /** Calls asked for. */
  per_second: number;
  /** Calls under way at a time, on average. */
  in_flight: number;
}

interface Mark {
  at: number;
  asked: number;
  busy_ms: number;
}

/** The longer between two looks, the less chance is in what they tell; the shorter, the fresher it is. */
const SPAN_MS_MAX = 300_000;
const MARKS_MAX = 32;

/**
 * What is usual while all is well, between two times one environment told its own counts. The window's
 * counts say less: they lack what others have not told yet.
 */
export class WellRate {
  #marks: Mark[] = [];
  #looks = 0;
  #usual: Usual | undefined;

  /** The counts after this environment told its own, `at` Unix ms. */
  notice(traffic: Traffic | undefined, at: number, well: boolean): void {
    this.#looks = well ? this.#looks + 1 : 0;
    if (!well) this.#marks = [];
    if (!well) return;
    const counts = traffic?.get(ALWAYS);
    const now: Mark = { at, asked: counts?.get("asked") ?? 0, busy_ms: counts?.get("busy_ms") ?? 0 };
    this.#marks = this.#marks.filter((mark) => at - mark.at <= SPAN_MS_MAX && mark.at < at);
    // When a fleet starts, most have not told anything at the first look: the second is a better mark.
    if (this.#looks === 3) this.#marks.shift();
    const [since] = this.#marks;
    if (since) this.#usual = usualBetween(since, now);
    this.#marks = [...this.#marks, now].slice(-MARKS_MAX);
  }

  /** What was measured since it was last taken. */
  take(): Usual | undefined {
    const usual = this.#usual;
    this.#usual = undefined;
    return usual;
  }
}

function usualBetween(since: Mark, now: Mark): Usual {
  const span_ms = now.at - since.at;
  return {
    per_second: (1000 * Math.max(0, now.asked - since.asked)) / span_ms,
    in_flight: Math.max(0, now.busy_ms - since.busy_ms) / span_ms,
  };
}
