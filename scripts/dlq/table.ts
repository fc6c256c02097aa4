import { visible } from "../../cli/render/visible.ts";

const GAP = "  ";
const CELL_CHARACTERS_MAX = 100;

/** Rows under their headings, each column as wide as its widest cell; long cells are cut. */
export function table(headings: string[], rows: string[][]): string[] {
  const shown = rows.map((row) => row.map((cell) => shorten(oneLine(cell))));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...shown.map((row) => (row[column] ?? "").length)),
  );
  return [headings, ...shown].map((row) =>
    row
      .map((cell, column) => (column === headings.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join(GAP)
      .trimEnd(),
  );
}

function shorten(text: string): string {
  return text.length > CELL_CHARACTERS_MAX ? `${text.slice(0, CELL_CHARACTERS_MAX - 1)}…` : text;
}

/**
 * Text of anybody else inside one line, on a terminal and in a pipe: no line break of it begins a line, and what
 * would act on a terminal is spelled out.
 */
export function oneLine(text: string): string {
  return visible(text).replaceAll("\n", "\\n").replaceAll("\t", " ").trim();
}

/** `12 s`, `5 min`, `3 h`, `2 d` ago. */
export function age(instant: string, now_ms: number): string {
  const seconds = Math.max(0, Math.round((now_ms - Date.parse(instant)) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`;
}
