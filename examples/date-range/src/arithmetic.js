const DAY_MS = 86_400_000;

/**
 * The day some days later, or earlier when `count` is negative.
 * @param {Date} day
 * @param {number} count whole days
 * @returns {Date}
 */
export function addDays(day, count) {
  return new Date(day.getTime() + count * DAY_MS);
}

/**
 * The same day of a later month; the month's last day when it has fewer days.
 * @param {Date} day
 * @param {number} count whole months, may be negative
 * @returns {Date}
 */
export function addMonths(day, count) {
  const year = day.getUTCFullYear();
  const month = day.getUTCMonth() + count;
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month, Math.min(day.getUTCDate(), lastOfMonth)));
}

/**
 * How many nights lie between two days.
 * @param {Date} from
 * @param {Date} to
 * @returns {number} negative when `to` is before `from`
 */
export function daysBetween(from, to) {
  return Math.round((to.getTime() - from.getTime()) / DAY_MS);
}
