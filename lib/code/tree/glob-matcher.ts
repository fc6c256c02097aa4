/** Whether a path in the tree, `/` between its parts, is one that a pattern means. */
export type GlobMatcher = (path: string) => boolean;

/**
 * Matches `*` (within a name), `?` (one character) and `**` (any directories, none too). Nothing else is special.
 * No step is ever taken back more than to the last star, so the time is at most the pattern's
 * length times the path's; a regular expression made of the pattern would give no such bound.
 */
export function globMatcher(pattern: string): GlobMatcher {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  return (path) => {
    const names = path.split("/");
    return wildcardMatch(
      names.length,
      parts.length,
      (part) => parts[part] === "**",
      (name, part) => nameMatches(names[name] ?? "", parts[part] ?? ""),
    );
  };
}

function nameMatches(name: string, part: string): boolean {
  return wildcardMatch(
    name.length,
    part.length,
    (at) => part[at] === "*",
    (at, in_part) => part[in_part] === "?" || part[in_part] === name[at],
  );
}

/** The usual match of wildcards with two pointers: after a mismatch the last star takes one more. */
function wildcardMatch(
  length: number,
  pattern_length: number,
  isStar: (at: number) => boolean,
  matches: (at: number, in_pattern: number) => boolean,
): boolean {
  let at = 0;
  let in_pattern = 0;
  let star = -1;
  let taken = 0;
  while (at < length) {
    if (in_pattern < pattern_length && isStar(in_pattern)) {
      star = in_pattern++;
      taken = at;
    } else if (in_pattern < pattern_length && matches(at, in_pattern)) {
      at++;
      in_pattern++;
    } else if (star >= 0) {
      in_pattern = star + 1;
      at = ++taken;
    } else return false;
  }
  while (in_pattern < pattern_length && isStar(in_pattern)) in_pattern++;
  return in_pattern === pattern_length;
}
