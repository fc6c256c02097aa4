const GAP = "  ";
const LAST_COLUMN_MAX = 100;

/** Rows under their headings, each column as wide as its widest cell; the last one is cut. */
export function table(headings: string[], rows: string[][]): string[] {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  return [headings, ...rows].map((row) =>
    row
      .map((cell, column) =>
        column === headings.length - 1 ? shorten(oneLine(cell)) : cell.padEnd(widths[column] ?? 0),
      )
      .join(GAP)
      .trimEnd(),
  );
}

function shorten(text: string): string {
  return text.length > LAST_COLUMN_MAX ? `${text.slice(0, LAST_COLUMN_MAX - 1)}…` : text;
}

/** Messages come from anywhere: no line breaks and no terminal control reach the operator's screen. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
}

/** `12 s`, `5 min`, `3 h`, `2 d` ago. */
export function age(instant: string, now_ms: number): string {
  const seconds = Math.max(0, Math.round((now_ms - Date.parse(instant)) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`;
}
