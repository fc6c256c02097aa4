import { addDays } from "./arithmetic.js";

const SUNDAY = 0;
const SATURDAY = 6;

/**
 * Whether a day is a Saturday or a Sunday.
 * @param {Date} day
 * @returns {boolean}
 */
export function isWeekend(day) {
  const weekday = day.getDay();
  return weekday === SATURDAY || weekday === SUNDAY;
}

/**
 * How many working days, Monday to Friday, a range has.
 * @param {import("./parse.js").DayRange} range both ends included
 * @returns {number}
 */
export function countWeekdays(range) {
  let count = 0;
  for (let day = range.start; day <= range.end; day = addDays(day, 1)) {
    if (!isWeekend(day)) count += 1;
  }
  return count;
}

/**
 * The first working day after a day, for deadlines that may not fall on a weekend.
 * @param {Date} day
 * @returns {Date}
 */
export function nextWeekday(day) {
  let next = addDays(day, 1);
  while (isWeekend(next)) next = addDays(next, 1);
  return next;
}
