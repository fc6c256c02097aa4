import { currentLanguage, t } from "./language.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration as people say it: `340 ms`, `2.3 s`, `4 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(ms < 10 * SECOND_MS ? 1 : 0)} s`;
  const two = (large_ms: number, large: string, small_ms: number, small: string) => {
    const rest = Math.floor((ms % large_ms) / small_ms);
    return `${Math.floor(ms / large_ms)} ${large}${rest > 0 ? ` ${rest} ${small}` : ""}`;
  };
  if (ms < HOUR_MS) return two(MINUTE_MS, "min", SECOND_MS, "s");
  if (ms < DAY_MS) return two(HOUR_MS, "h", MINUTE_MS, "min");
  return two(DAY_MS, "d", HOUR_MS, "h");
}

/** How long ago, or in how long: `2 min ago`. */
export function formatAge(instant: string | number, now: number = Date.now()): string {
  const ms = now - new Date(instant).getTime();
  if (Number.isNaN(ms)) return String(instant);
  if (Math.abs(ms) < 2 * SECOND_MS) return t("time.now");
  const short = formatDuration(Math.floor(Math.abs(ms) / SECOND_MS) * SECOND_MS)
    .split(" ")
    .slice(0, 2)
    .join(" ");
  return t(ms > 0 ? "time.ago" : "time.ahead", { time: short.replace(/\.\d+/, "") });
}

/** Date and time of day to the second, in the reader's zone. */
export function formatInstant(instant: string | number): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return String(instant);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString(currentLanguage());
}

/** A share from 0 to 1. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}
