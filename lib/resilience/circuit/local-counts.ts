import type { Contribution } from "#lib/resilience/circuit/circuit-table.ts";
import { ALWAYS, addTo, type Count, dropBefore, type Traffic } from "#lib/resilience/circuit/traffic.ts";

interface Taking {
  now: number;
  /** What began before is not shared any more. */
  since: number;
  window_ms: number;
  /** Whose calls they were is asked only in trouble. */
  with_tenants: boolean;
}

/** What one environment counted: what is not shared yet, and to go by without the table its last window. */
export class LocalCounts {
  pending: Traffic = new Map();
  readonly own: Traffic = new Map();
  /** Failures in a row, seen here. */
  streak = 0;
  /** When the last failure was, Unix ms. */
  failed_at: number | undefined;
  #pending_streak = 0;
  /** Calls asked for and time spent in calls, not shared yet, however long ago. */
  #asked = 0;
  #busy_ms = 0;
  #breaks_streak = false;

  /** The row of the fleet, which stood at `shared`, with what was seen here since. */
  streakAfter(shared: number): number {
    return this.#breaks_streak ? this.#pending_streak : shared + this.#pending_streak;
  }

  count(part: number, names: readonly string[], since: number, amount = 1): void {
    for (const name of names) {
      for (const traffic of [this.pending, this.own]) addTo(traffic, part, name, amount);
    }
    if (names.some((name) => ASKED.includes(name))) this.#asked += 1;
    dropBefore(this.own, since);
    dropBefore(this.pending, since);
  }

  /** A call was under way for so long. */
  busy(elapsed_ms: number): void {
    this.#busy_ms += Math.max(0, Math.round(elapsed_ms));
  }

  succeeded(): void {
    this.streak = 0;
    this.#pending_streak = 0;
    this.#breaks_streak = true;
  }

  failed(now: number, window_ms: number): void {
    const recent = this.#isRecent(now, window_ms);
    this.streak = recent ? this.streak + 1 : 1;
    this.#pending_streak = recent ? this.#pending_streak + 1 : 1;
    this.failed_at = now;
  }

  /** The circuit has moved: a row of failures begins anew. */
  startOver(): void {
    this.streak = 0;
    this.#pending_streak = 0;
  }

  /** Takes out what is to be shared. It is not put back on an error: the write may have taken all the same. */
  take({ now, since, window_ms, with_tenants }: Taking): Omit<Contribution, "over" | "well"> {
    const traffic = this.pending;
    dropBefore(traffic, since);
    if (!with_tenants) for (const counts of traffic.values()) dropTenants(counts);
    if (this.#asked > 0) addTo(traffic, ALWAYS, "asked", this.#asked);
    if (this.#busy_ms > 0) addTo(traffic, ALWAYS, "busy_ms", this.#busy_ms);
    const streak = this.#isRecent(now, window_ms) ? this.#pending_streak : 0;
    const taken = { traffic, streak, breaks_streak: this.#breaks_streak };
    this.pending = new Map();
    this.#asked = 0;
    this.#busy_ms = 0;
    this.#pending_streak = 0;
    this.#breaks_streak = false;
    return taken;
  }

  #isRecent(now: number, window_ms: number): boolean {
    return this.failed_at !== undefined && now - this.failed_at <= window_ms;
  }
}

/** Every call that is asked for is counted as one of these. */
const ASKED: readonly string[] = ["calls", "damped", "held"] satisfies Count[];

function dropTenants(counts: Map<string, number>): void {
  for (const name of counts.keys()) if (/^[xy]\d/.test(name)) counts.delete(name);
}
