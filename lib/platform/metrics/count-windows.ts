/*
 * How time is cut for counts. All in UTC. Counts are written into items of a minute, whose partition is a block of five
 * minutes; finished blocks are added to items of an hour and to totals.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
export const BLOCK_MS = 300_000;

/** Such as `2026-01-31T12:05`. Sorts by time. */
function stamp(now_ms: number, length_ms: number): string {
  return new Date(Math.floor(now_ms / length_ms) * length_ms).toISOString().slice(0, 16);
}

export function minuteOf(now_ms: number): string {
  return stamp(now_ms, MINUTE_MS);
}

export function blockOf(now_ms: number): string {
  return stamp(now_ms, BLOCK_MS);
}

export function hourOf(now_ms: number): string {
  return stamp(now_ms, HOUR_MS);
}

/** When a minute, block or hour began, in Unix ms. */
export function beginningOf(slice: string): number {
  return Date.parse(`${slice}:00.000Z`);
}

/** The blocks from the one that holds `from_ms` to the one that holds `to_ms`, oldest first. */
export function blocksBetween(from_ms: number, to_ms: number): string[] {
  const blocks: string[] = [];
  const first_ms = beginningOf(blockOf(from_ms));
  for (let at_ms = first_ms; at_ms <= to_ms; at_ms += BLOCK_MS) blocks.push(blockOf(at_ms));
  return blocks;
}

/** A time in which things are counted, from `from_ms` to `to_ms` (Unix ms). */
export interface CountWindow {
  from_ms: number;
  to_ms: number;
  /** `minutes`: begins with a whole minute. `hours`: begins with a whole hour, and is never shorter than asked for. */
  resolution: "minutes" | "hours";
}

/** Up to so much is read in minutes. */
const MINUTES_MAX_MS = HOUR_MS;

/** The last `length_ms` before `now_ms`. It begins with the minute, or hour, in which that time began. */
export function windowOf(length_ms: number, now_ms: number): CountWindow {
  const resolution = length_ms <= MINUTES_MAX_MS ? "minutes" : "hours";
  const step_ms = resolution === "minutes" ? MINUTE_MS : HOUR_MS;
  const from_ms = Math.floor((now_ms - length_ms) / step_ms) * step_ms;
  return { from_ms, to_ms: now_ms, resolution };
}
