import { randomBytes } from "node:crypto";
import type { Verdict } from "#schemas/primitives.ts";
import { visible } from "./visible.ts";

/** SGR codes that begin and end a style. https://ecma-international.org/publications-and-standards/standards/ecma-48/ */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;
type Style = keyof typeof STYLES;
const NAMES = Object.keys(STYLES) as Style[];

/** Colours, or the same functions doing nothing. */
export type Paint = Record<Style, (text: string) => string>;

/**
 * A style travels inside a line as a mark that only this process knows, never as an escape sequence: so no
 * submitted text can colour anything, and a terminal may make visible every control character it is given.
 */
const MARK = `\0${randomBytes(8).toString("hex")}`;
const END = "e";
const MARKS = new RegExp(`${MARK}([0-9${END}])`);

export function createPaint(enabled: boolean): Paint {
  const painter = (_name: Style, index: number) => (text: string) =>
    enabled ? `${MARK}${index}${text}${MARK}${END}` : text;
  return Object.fromEntries(NAMES.map((name, index) => [name, painter(name, index)])) as Paint;
}

/** A line without its styles. */
export function unpainted(line: string): string {
  return line
    .split(MARKS)
    .filter((_part, index) => index % 2 === 0)
    .join("");
}

/** A line as a terminal takes it: its styles as escape sequences, all else as `show` gives it. */
export function painted(line: string, show: (text: string) => string = visible): string {
  const open: Style[] = [];
  const parts = line.split(MARKS).map((part, index) => {
    if (index % 2 === 0) return show(part);
    if (part !== END) {
      const style = NAMES[Number(part)] ?? "dim";
      open.push(style);
      return `\x1b[${STYLES[style][0]}m`;
    }
    const ended = open.pop();
    // Bold and dim share their end, so the styles around it are begun again.
    const around = open.map((style) => `\x1b[${STYLES[style][0]}m`).join("");
    return ended === undefined ? "" : `\x1b[${STYLES[ended][1]}m${around}`;
  });
  return parts.join("");
}

/** A verdict's sign in its colour; `undefined` is a task or step that was canceled. */
export function verdictSign(verdict: Verdict | undefined, paint: Paint): string {
  if (verdict === "passed") return paint.green("✓");
  if (verdict === "failed") return paint.red("✗");
  return verdict === "error" ? paint.red("!") : paint.yellow("–");
}
