const ESCAPES: Record<string, number> = {
  a: 0x07,
  b: 0x08,
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  '"': 0x22,
  "\\": 0x5c,
};

/** A path as git writes it in a header: quoted when a space or a special character is in it. */
export function quotePath(path: string): string {
  const escaped = path.replace(/["\\]/g, "\\$&");
  return escaped !== path || path.includes(" ") ? `"${escaped}"` : path;
}

/**
 * Reads one C-quoted path from the start of `text` (git's quote.c: `\"`, `\\`, `\n`, octal bytes).
 *
 * @returns the path and the text after it, or undefined when the quoting is broken
 */
export function unquotePath(text: string): { path: string; rest: string } | undefined {
  const bytes: number[] = [];
  const source = Buffer.from(text);
  for (let index = 1; index < source.length; index++) {
    const byte = source[index] ?? 0;
    if (byte === 0x22) {
      const path = Buffer.from(bytes).toString("utf8");
      return { path, rest: source.subarray(index + 1).toString("utf8") };
    }
    if (byte !== 0x5c) {
      bytes.push(byte);
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(source.toString("latin1", index + 1, index + 4))?.[0];
    const escaped =
      octal === undefined ? ESCAPES[String.fromCharCode(source[index + 1] ?? 0)] : parseInt(octal, 8);
    if (escaped === undefined) return undefined;
    bytes.push(escaped);
    index += octal === undefined ? 1 : 3;
  }
  return undefined;
}

/**
 * The path two header names agree on. Different first parts (`a/x` and `b/x`, `old/x` and
 * `new/x`) are prefixes and left off; equal names (`git diff --no-prefix`) are taken as they are.
 */
export function commonPath(before: string, after: string): string | undefined {
  if (before === after) return before;
  const stripped = withoutPrefix(before);
  return stripped !== undefined && stripped === withoutPrefix(after) ? stripped : undefined;
}

function withoutPrefix(name: string): string | undefined {
  const slash = name.indexOf("/");
  return slash <= 0 ? undefined : name.slice(slash + 1);
}
