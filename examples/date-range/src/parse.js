/**
 * A range of days, both ends included.
 * @typedef {{ start: Date, end: Date }} DayRange
 */

/**
 * Read a calendar day, for example `2026-07-06`.
 * @param {string} text ISO 8601 date, without a time
 * @returns {Date} midnight UTC of that day
 * @throws {RangeError} when the text is no date, or a date that does not exist
 */
export function parseDay(text) {
  const day = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().substr(0, 10) !== text) {
    throw new RangeError(`not a calendar day: ${text}`);
  }
  return day;
}

/**
 * Read a range of days, for example `2026-07-06/2026-07-19`.
 * @param {string} text two ISO 8601 dates parted by a slash
 * @returns {DayRange}
 * @throws {RangeError} when an end is missing, or the end is before the start
 */
export function parseRange(text) {
  const slash = text.indexOf("/");
  if (slash === -1) throw new RangeError(`a range needs two days parted by a slash: ${text}`);
  const range = { start: parseDay(text.substr(0, slash)), end: parseDay(text.substr(slash + 1)) };
  if (range.end < range.start) throw new RangeError(`a range cannot end before it starts: ${text}`);
  return range;
}
