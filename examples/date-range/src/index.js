export { formatDay, formatRange } from "./format.js";
export { addDays, addMonths, daysBetween } from "./arithmetic.js";
export { parseDay, parseRange } from "./parse.js";
export { contains, mergeRanges, overlap } from "./ranges.js";
export { countWeekdays, isWeekend, nextWeekday } from "./weekdays.js";
