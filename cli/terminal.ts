import { createPaint, type Paint, painted, unpainted } from "./render/paint.ts";
import { visible } from "./render/visible.ts";

interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

interface TerminalOptions {
  /** Write to a terminal what was submitted as it is, control characters included. */
  raw?: boolean;
}

/** Where a person reads along: lines that stay, and on a terminal a block below them that is redrawn. */
export interface Terminal {
  readonly paint: Paint;
  /** Whether `live` does anything. */
  readonly interactive: boolean;
  /** Write lines that stay. What follows a line feed inside of one is indented, so that it passes for no line of ours. */
  lines(...lines: string[]): void;
  /** Write a whole text of somebody else: every line of it, as it stands. */
  text(text: string): void;
  /** Replace the block at the bottom; an empty block removes it. */
  live(...lines: string[]): void;
}

const CONTINUED = "\n      ";

/**
 * Everything the command line writes for people goes through here. On a terminal no text acts on it: control
 * and format characters are spelled out, whoever they come from, unless `raw`. Elsewhere text stays as it is.
 * Colours and redrawing only on a terminal; NO_COLOR (https://no-color.org) and TERM=dumb are honoured.
 */
export function createTerminal(
  stream: TextStream,
  env: Record<string, string | undefined>,
  { raw = false }: TerminalOptions = {},
): Terminal {
  const guarded = stream.isTTY === true && !raw;
  const interactive = stream.isTTY === true && env.TERM !== "dumb";
  const show = guarded ? visible : (text: string) => text;
  const oneLine = guarded ? (text: string) => visible(text).replaceAll("\n", CONTINUED) : show;
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
      stream.write(lines.map((line) => `${painted(line, oneLine)}\n`).join(""));
    },
    text(text) {
      clear();
      stream.write(text.endsWith("\n") ? show(text) : `${show(text)}\n`);
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

/** One row of the block that is redrawn: it must not wrap, nor hold a line feed, whatever is in it. */
function shorten(line: string, columns: number): string {
  const spell = (text: string) => visible(text).replace(/[\n\t]/g, " ");
  const plain = spell(unpainted(line));
  return plain.length <= columns ? painted(line, spell) : `${plain.slice(0, columns - 1)}…`;
}
