const SPAN = /^(\d{1,6})([smhdw])$/;
const UNIT_MS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `15m`, `12h`, `30d`, `2w` in ms. @throws Error with a sentence for people */
export function parseSpan(text: string): number {
  const [, number, unit = ""] = SPAN.exec(text) ?? [];
  const unit_ms = UNIT_MS[unit];
  if (number === undefined || unit_ms === undefined) {
    throw new Error(`"${text}" is no time span: give a number and s, m, h, d or w, for example 12h or 30d.`);
  }
  return Number(number) * unit_ms;
}
