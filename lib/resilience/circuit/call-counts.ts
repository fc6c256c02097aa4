import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * Counting calls in a sliding window: what is counted, one environment's own counts, and the usual load that
 * two readings of the lifetime totals give.
 */

/**
 * What is counted. `calls` counts calls that ended, `failures` and `slow` those of them that failed or took too
 * long. `damped` counts calls refused because calls fail, `held` calls refused because too many return after an
 * outage. `retries` counts retries that asked for admission, `retry_calls` those admitted. After an outage only,
 * and in slices of a second, `passed` counts admitted calls when they begin, `ended` the same calls when they end.
 */
const COUNTS = {
  calls: 0,
  failures: 0,
  slow: 0,
  damped: 0,
  held: 0,
  passed: 0,
  ended: 0,
  retries: 0,
  retry_calls: 0,
};
type Count = keyof typeof COUNTS;

/** Slice of the window (Unix ms of its start) → `Count`, or slot of a tenant or of failing work → amount. */
export type CallCounts = Map<number, Map<string, number>>;

/** Amounts over several slices. */
export interface Totals extends Record<Count, number> {
  /** Of the slots of tenants and of failing work. */
  slots: ReadonlyMap<string, number>;
}

type Window = Pick<CircuitPolicy, "window_seconds">;

/** The window has this many slices, so that it slides instead of starting anew. */
const SLICES = 5;

/** Slice key for lifetime totals. The difference between two readings gives the request rate. */
export const LIFETIME = 0;

export const sliceMs = ({ window_seconds }: Window) => (window_seconds * 1000) / SLICES;
export const sliceAt = (now: number, window: Window) => now - (now % sliceMs(window));
export const secondAt = (now: number) => now - (now % 1000);

/** The first slice that counts: one window back, and none from before the circuit's present state. */
export function windowStart(now: number, counted_from: number, window: Window): number {
  return Math.max(sliceAt(now, window) - window.window_seconds * 1000, counted_from);
}

/** Everything counted from `since` on, and before `until`, over several sources. */
export function totalsOf(
  sources: readonly CallCounts[],
  since: number,
  until = Number.POSITIVE_INFINITY,
): Totals {
  const totals = { ...COUNTS };
  const slots = new Map<string, number>();
  for (const counts of sources) {
    for (const [slice, amounts] of counts) {
      if (slice < since || slice >= until) continue;
      for (const [name, amount] of amounts) {
        if (name in COUNTS) totals[name as Count] += amount;
        else slots.set(name, (slots.get(name) ?? 0) + amount);
      }
    }
  }
  return { ...totals, slots };
}

export function addCount(counts: CallCounts, slice: number, name: string, amount: number): void {
  const amounts = counts.get(slice) ?? new Map<string, number>();
  amounts.set(name, (amounts.get(name) ?? 0) + amount);
  counts.set(slice, amounts);
}

/** The columns of slices that began before `since`, as the table names them. */
export function outdatedColumns(counts: CallCounts | undefined, since: number): string[] {
  return [...(counts ?? [])].flatMap(([slice, amounts]) =>
    slice < since && slice !== LIFETIME ? [...amounts.keys()].map((name) => `${slice}|${name}`) : [],
  );
}

/**
 * Tenants and failing work are counted in a fixed number of slots, so that the item stays small however many there
 * are. A tenant has one slot in each of two rows (a count-min sketch, Cormode and Muthukrishnan, 2005): two
 * tenants share both with a chance of 1 in 1,024.
 */
export const SLOTS = 32;
export const TENANT_ROW = "x";
const isTenantSlot = (name: string) => /^[xy]\d+$/.test(name);

export function tenantSlots(tenant: string): [string, string] {
  return [`${TENANT_ROW}${hash(tenant, 0) % SLOTS}`, `y${hash(tenant, 1) % SLOTS}`];
}

/** The slot in which the failures of a piece of work are counted. */
export function workSlot(work: string): string {
  return `w${hash(work, 2) % SLOTS}`;
}

/** How many pieces of work failed, as far as slots tell them apart. */
export function failingWorks({ slots }: Totals): number {
  return [...slots].filter(([name, amount]) => /^w\d/.test(name) && amount > 0).length;
}

/** FNV-1a, 32 bits (draft-eastlake-fnv); each `seed` makes another function of it. */
function hash(text: string, seed: number): number {
  let value = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return (value ^ (value >>> 15)) >>> 0;
}

/** Counts as the columns `<slice>|<name>` of an item, those of tenants last and the largest first. */
export function columnsOf(counts: CallCounts): [column: string, amount: number][] {
  return [...counts]
    .flatMap(([slice, amounts]) => [...amounts].map(([name, amount]) => ({ slice, name, amount })))
    .sort((a, b) => Number(isTenantSlot(a.name)) - Number(isTenantSlot(b.name)) || b.amount - a.amount)
    .map(({ slice, name, amount }) => [`${slice}|${name}`, amount]);
}

/** More failed, slow and damped calls than this share of all calls are trouble. */
export const TROUBLE_SHARE = 0.1;

/**
 * Whether counts should be shared every second instead of once a window. Judged by each of `views`: the failures
 * of an environment with few calls would be a small share of everybody's calls, and it would keep them to itself.
 */
export function isTroubled(
  record: CircuitRecord | undefined,
  now: number,
  views: readonly Totals[],
): boolean {
  if (record && (record.state !== "closed" || record.forced)) return true;
  if ((record?.recovering_until ?? 0) > now) return true;
  return views.some(
    ({ calls, failures, slow, damped, held }) =>
      held > 0 || failures + slow + damped > TROUBLE_SHARE * (calls + damped),
  );
}

/** Every call that asks for admission is counted as one of these. */
const REQUESTED: readonly string[] = ["calls", "damped", "held"] satisfies Count[];

/** What one environment has counted and not shared yet. */
export interface UnsharedCounts {
  counts: CallCounts;
  /** Failures in a row since its last success. */
  streak: number;
  /** It saw a success before those failures, which ends the streak of the others. */
  breaks_streak: boolean;
}

/** The counts of one environment: those not shared yet, and its own window in case the table is away. */
export class LocalCounts {
  unshared: CallCounts = new Map();
  readonly own: CallCounts = new Map();
  /** Failures in a row in this environment. */
  streak = 0;
  /** Unix ms of the last failure. */
  failed_at: number | undefined;
  #unshared_streak = 0;
  #breaks_streak = false;
  #lifetime = { asked: 0, busy_ms: 0 };

  /** The fleet's streak, which was `shared` when it was read, continued by what happened here since. */
  streakAfter(shared: number): number {
    return this.#breaks_streak ? this.#unshared_streak : shared + this.#unshared_streak;
  }

  /** Adds to the counts of one slice and forgets the slices before `since`. */
  count(slice: number, names: readonly string[], since: number, amount = 1): void {
    for (const counts of [this.unshared, this.own]) {
      for (const name of names) addCount(counts, slice, name, amount);
      dropBefore(counts, since);
    }
    if (names.some((name) => REQUESTED.includes(name))) this.#lifetime.asked += 1;
  }

  /** A call ended that took `elapsed_ms`. Failures further apart than the window are no streak. */
  ended(failed: boolean, elapsed_ms: number, now: number, window_ms: number): void {
    this.#lifetime.busy_ms += Math.max(0, Math.round(elapsed_ms));
    if (failed) {
      if (!this.#hasFailedSince(now - window_ms)) this.endStreak();
      this.streak += 1;
      this.#unshared_streak += 1;
      this.failed_at = now;
    } else {
      this.endStreak();
      this.#breaks_streak = true;
    }
  }

  /** A success ends the streak of failures, and so does a change of the circuit's state. */
  endStreak(): void {
    this.streak = 0;
    this.#unshared_streak = 0;
  }

  /**
   * Takes out what is to be shared. It is not put back when the write fails, for the write may have succeeded
   * all the same: counts may be lost, never doubled. Which tenants called matters only in trouble.
   */
  take(now: number, since: number, window_ms: number, with_tenants: boolean): UnsharedCounts {
    const counts = this.unshared;
    dropBefore(counts, since);
    for (const amounts of with_tenants ? [] : counts.values()) {
      for (const name of amounts.keys()) if (isTenantSlot(name)) amounts.delete(name);
    }
    for (const [name, amount] of Object.entries(this.#lifetime)) {
      if (amount > 0) addCount(counts, LIFETIME, name, amount);
    }
    const streak = this.#hasFailedSince(now - window_ms) ? this.#unshared_streak : 0;
    const taken = { counts, streak, breaks_streak: this.#breaks_streak };
    this.unshared = new Map();
    this.#lifetime = { asked: 0, busy_ms: 0 };
    this.#unshared_streak = 0;
    this.#breaks_streak = false;
    return taken;
  }

  #hasFailedSince(since: number): boolean {
    return this.failed_at !== undefined && this.failed_at >= since;
  }
}

function dropBefore(counts: CallCounts, since: number): void {
  for (const slice of counts.keys()) if (slice < since) counts.delete(slice);
}

/** The load of the whole fleet while its dependency is healthy. */
export interface UsualLoad {
  /** Calls that ask for admission. */
  per_second: number;
  /** Calls in flight at a time, on average. */
  in_flight: number;
}

/** A longer span evens out chance; a shorter one is fresher. */
const SPAN_MS_MAX = 300_000;
const READINGS_MAX = 32;

/**
 * Measures the usual load between two readings of the lifetime totals, each taken when this environment shared
 * its counts. The counts of the window are no measure: other environments have not shared theirs yet.
 */
export class UsualLoadMeter {
  #readings: { at: number; asked: number; busy_ms: number }[] = [];
  #healthy_readings = 0;
  #measured: UsualLoad | undefined;

  /** Reads the shared counts at `at` (Unix ms). Trouble discards the readings before it. */
  read(counts: CallCounts | undefined, at: number, healthy: boolean): void {
    this.#healthy_readings = healthy ? this.#healthy_readings + 1 : 0;
    if (!healthy) this.#readings = [];
    if (!healthy) return;
    const totals = counts?.get(LIFETIME);
    const reading = { at, asked: totals?.get("asked") ?? 0, busy_ms: totals?.get("busy_ms") ?? 0 };
    this.#readings = this.#readings.filter((one) => at - one.at <= SPAN_MS_MAX && one.at < at);
    // At a fleet's first reading most environments have not shared anything yet: the second one is better.
    if (this.#healthy_readings === 3) this.#readings.shift();
    const [since] = this.#readings;
    if (since) {
      const span_ms = at - since.at;
      this.#measured = {
        per_second: (1000 * Math.max(0, reading.asked - since.asked)) / span_ms,
        in_flight: Math.max(0, reading.busy_ms - since.busy_ms) / span_ms,
      };
    }
    this.#readings = [...this.#readings, reading].slice(-READINGS_MAX);
  }

  /** The load measured since it was last taken. */
  take(): UsualLoad | undefined {
    const measured = this.#measured;
    this.#measured = undefined;
    return measured;
  }
}
