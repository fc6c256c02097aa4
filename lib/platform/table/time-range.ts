import { instant } from "#lib/platform/runtime/runtime.ts";

/** From `since` (included) to `until` (not included): RFC 3339 instants, either may be absent. */
export interface TimeRange {
  since?: string | undefined;
  until?: string | undefined;
}

/** Sort keys of `by_tenant` start with an instant, so these two enclose a range of time. */
export interface KeyRange {
  from: string;
  to: string;
}

const YEAR_10000_MS = Date.UTC(10_000, 0);

/**
 * The range as keys. An instant without what follows it (`…Z` before `…Z#task…`) sorts before all
 * keys of that instant: as lower bound it includes them, as upper bound it does not.
 */
export function keyRange({ since, until }: TimeRange): KeyRange {
  return { from: since === undefined ? "0" : bound(since), to: until === undefined ? "~" : bound(until) };
}

export function isWithin(key: string, { from, to }: KeyRange): boolean {
  return key >= from && key <= to;
}

/** In UTC with milliseconds, as keys have it; a time zone may push it out of the four-digit years. */
function bound(moment: string): string {
  return instant(Math.min(YEAR_10000_MS - 1, Math.max(Date.UTC(0, 0), Date.parse(moment))));
}
