/**
 * What tools that run several packages at once put in front of each line: `web:test: ` (Turborepo), `packages/web test: ` (pnpm),
 * `@acme/web: ` (Lerna), `[web] ` and `[web]: ` (concurrently, Yarn, Nx), `web-1  | ` (Docker Compose).
 */
const PREFIX =
  /^(?:\[[^\]]{1,100}\]:? |@?[\w./-]{1,100}:[\w.:-]{1,100}: |[\w@./-]{1,100} [\w.:-]{1,100}: |@[\w.-]{1,100}\/[\w.-]{1,100}: |[\w.-]{1,100} {1,100}\| )/;
/** A line alone is no stream. */
const LINES_MIN = 2;

interface PrefixedLines {
  prefix: string;
  /** Without the prefix. */
  lines: string[];
  /** Where each stood among all lines. */
  places: number[];
}

/** Lines in groups of the same prefix, each in the order in which they came. */
export function linesByPrefix(lines: readonly string[]): PrefixedLines[] {
  const groups = new Map<string, PrefixedLines>();
  for (const [place, line] of lines.entries()) {
    const prefix = PREFIX.exec(line)?.[0];
    if (prefix === undefined) continue;
    const group = groups.get(prefix) ?? { prefix, lines: [], places: [] };
    groups.set(prefix, group);
    group.lines.push(line.slice(prefix.length));
    group.places.push(place);
  }
  return [...groups.values()].filter((group) => group.lines.length >= LINES_MIN);
}
