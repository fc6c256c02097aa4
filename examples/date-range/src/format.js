const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];

/**
 * A day for people, for example `6 July 2026`.
 * @param {Date} day
 * @returns {string}
 */
export function formatDay(day) {
  return `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
}

/**
 * A range for people. What both ends share is said once: `6 – 19 July 2026`.
 * @param {import("./parse.js").DayRange} range
 * @returns {string}
 */
export function formatRange({ start, end }) {
  const [startDay, startMonth, startYear] = formatDay(start).split(" ");
  const [, endMonth, endYear] = formatDay(end).split(" ");
  if (start.getTime() === end.getTime()) return formatDay(start);
  if (startYear !== endYear) return `${formatDay(start)} – ${formatDay(end)}`;
  if (startMonth !== endMonth) return `${startDay} ${startMonth} – ${formatDay(end)}`;
  return `${startDay} – ${formatDay(end)}`;
}
