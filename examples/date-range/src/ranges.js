import { addDays } from "./arithmetic.js";

/**
 * Whether a day lies in a range, its ends included.
 * @param {import("./parse.js").DayRange} range
 * @param {Date} day
 * @returns {boolean}
 */
export function contains(range, day) {
  return range.start <= day && day <= range.end;
}

/**
 * The days two ranges share.
 * @param {import("./parse.js").DayRange} left
 * @param {import("./parse.js").DayRange} right
 * @returns {import("./parse.js").DayRange | undefined} undefined when they share none
 */
export function overlap(left, right) {
  const start = left.start > right.start ? left.start : right.start;
  const end = left.end < right.end ? left.end : right.end;
  return start <= end ? { start, end } : undefined;
}

/**
 * The fewest ranges that cover the same days. Ranges that touch are joined.
 * @param {import("./parse.js").DayRange[]} ranges in any order
 * @returns {import("./parse.js").DayRange[]} ordered by start
 */
export function mergeRanges(ranges) {
  const merged = [];
  for (const range of [...ranges].sort((left, right) => left.start - right.start)) {
    const last = merged.at(-1);
    if (last && range.start <= addDays(last.end, 1)) {
      if (range.end > last.end) last.end = range.end;
    } else {
      merged.push({ ...range });
    }
  }
  return merged;
}
