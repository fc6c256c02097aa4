/**
 * Whether a path matches a glob of a `.gitignore`, by git's rules: `*`, `?` and `[…]` match no slash, `**` between
 * slashes matches any number of directories. Takes time in proportion to the length of both, whatever they are.
 */
export type Glob = (path: string) => boolean;

type Token = { one(byte: string): boolean } | "star" | "directories" | "rest";

const POSIX: Record<string, RegExp> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /\s/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** https://git-scm.com/docs/gitignore#_pattern_format; a pattern that is not valid matches nothing. */
export function compileGlob(pattern: string): Glob {
  // Nearly all patterns of real projects are one of these two.
  if (!/[*?[\\]/.test(pattern)) return (path) => path === pattern;
  if (/^\*[^*?[\\/]+$/.test(pattern)) {
    const end = pattern.slice(1);
    return (path) => path.endsWith(end) && !path.includes("/");
  }
  const tokens = tokensOf(bytesOf(pattern));
  return tokens === undefined ? () => false : (path) => matches(tokens, bytesOf(path));
}

/** One character a byte, as git compares. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function tokensOf(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; ) {
    const byte = pattern.charAt(at);
    const begins_segment = at === 0 || pattern.charAt(at - 1) === "/";
    if (byte === "*") {
      const stars = /^\*+/.exec(pattern.slice(at))?.[0].length ?? 1;
      at += stars;
      const whole_segment = stars > 1 && begins_segment;
      if (whole_segment && pattern.charAt(at) === "/") {
        tokens.push("directories");
        at += 1;
      } else tokens.push(whole_segment && at === pattern.length ? "rest" : "star");
    } else if (byte === "?") {
      tokens.push({ one: (given) => given !== "/" });
      at += 1;
    } else if (byte === "[") {
      const set = setOf(pattern, at + 1);
      if (set === undefined) return undefined;
      tokens.push(set);
      at = set.end;
    } else {
      const literal = byte === "\\" ? pattern.charAt(at + 1) : byte;
      if (literal === "") return undefined;
      tokens.push({ one: (given) => given === literal });
      at += byte === "\\" ? 2 : 1;
    }
  }
  return tokens;
}

/** `[…]` whose inside begins at `at`; undefined where it does not end. */
function setOf(pattern: string, start: number): { one(byte: string): boolean; end: number } | undefined {
  const negated = /[!^]/.test(pattern.charAt(start));
  const first = start + Number(negated);
  const tests: ((byte: string) => boolean)[] = [];
  for (let at = first; at < pattern.length; ) {
    if (pattern.charAt(at) === "]" && at > first) {
      const one = (byte: string) => byte !== "/" && tests.some((test) => test(byte)) !== negated;
      return { one, end: at + 1 };
    }
    const posix = /^\[:([a-z]*):\]/.exec(pattern.slice(at, at + 12));
    if (posix) {
      const name = posix[1] ?? "";
      if (!Object.hasOwn(POSIX, name)) return undefined;
      tests.push((byte) => POSIX[name]?.test(byte) === true);
      at += posix[0].length;
      continue;
    }
    const from = memberAt(pattern, at);
    at = from.end;
    let last = from.byte;
    if (pattern.charAt(at) === "-" && pattern.charAt(at + 1) !== "]" && at + 1 < pattern.length) {
      const to = memberAt(pattern, at + 1);
      at = to.end;
      last = to.byte;
    }
    tests.push((byte) => byte >= from.byte && byte <= last);
  }
  return undefined;
}

function memberAt(pattern: string, at: number): { byte: string; end: number } {
  const escaped = pattern.charAt(at) === "\\";
  return { byte: pattern.charAt(at + Number(escaped)), end: at + 1 + Number(escaped) };
}

/** Follows all ways of matching at once, so that no pattern can make it go back. */
function matches(tokens: Token[], text: string): boolean {
  let states = reachable(tokens, new Set([0]), true);
  for (const byte of text) {
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token === undefined) continue;
      if (token === "star") byte !== "/" && next.add(state);
      else if (token === "directories" || token === "rest") next.add(state);
      else if (token.one(byte)) next.add(state + 1);
    }
    states = reachable(tokens, next, byte === "/");
    if (states.size === 0) return false;
  }
  return states.has(tokens.length);
}

/** With the states that are reached without another byte: behind a star, and behind directories that have ended. */
function reachable(tokens: Token[], states: Set<number>, begins_segment: boolean): Set<number> {
  for (const state of states) {
    const token = tokens[state];
    if (token === "star" || token === "rest" || (token === "directories" && begins_segment)) {
      states.add(state + 1);
    }
  }
  return states;
}
