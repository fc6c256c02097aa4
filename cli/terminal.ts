import { stripVTControlCharacters } from "node:util";
import { createPaint, type Paint } from "./render/paint.ts";

interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Where a person reads along: lines that stay, and on a terminal a block below them that is redrawn. */
export interface Terminal {
  readonly paint: Paint;
  /** Whether `live` does anything. */
  readonly interactive: boolean;
  /** Write lines that stay. */
  lines(...lines: string[]): void;
  /** Replace the block at the bottom; an empty block removes it. */
  live(...lines: string[]): void;
}

function shorten(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}

/** Colours and redrawing only on a terminal; NO_COLOR (https://no-color.org) and TERM=dumb are honoured. */
export function createTerminal(stream: TextStream, env: Record<string, string | undefined>): Terminal {
  const interactive = stream.isTTY === true && env.TERM !== "dumb";
  let rows = 0;
  const clear = () => {
    if (rows > 0) stream.write(`\x1b[${rows}A\x1b[0J`);
    rows = 0;
  };
  return {
    paint: createPaint(interactive && !env.NO_COLOR),
    interactive,
    lines(...lines) {
      clear();
      stream.write(lines.map((line) => `${line}\n`).join(""));
    },
    live(...lines) {
      if (!interactive) return;
      clear();
      const columns = stream.columns ?? 80;
      stream.write(lines.map((line) => `${shorten(line, columns - 1)}\n`).join(""));
      rows = lines.length;
    },
  };
}
