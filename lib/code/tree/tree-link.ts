/** More than Linux follows (MAXSYMLINKS is 40), so a chain cut here leads nowhere there either. */
const HOPS_MAX = 64;

/**
 * Whether following the symbolic link at `path` could lead out of the tree, given every link of
 * the tree (path → target). Links on the way are followed as the kernel does: `l/..` is the parent
 * of what `l` points to, so comparing texts alone would miss an escape in two steps. A target that
 * does not exist, and a loop, stay inside.
 */
function linkLeavesTree(path: string, links: ReadonlyMap<string, string>): boolean {
  const pending = path.split("/").reverse();
  const position: string[] = [];
  let hops = 0;
  for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") {
      if (position.pop() === undefined) return true;
      continue;
    }
    const target = links.get([...position, segment].join("/"));
    if (target === undefined) {
      position.push(segment);
      continue;
    }
    if (target.startsWith("/")) return true;
    hops += 1;
    if (hops > HOPS_MAX) return false;
    pending.push(...target.split("/").reverse());
  }
  return false;
}

/** The first link, in path order, that leads out of the tree. */
export function findEscapingLink(links: ReadonlyMap<string, string>): string | undefined {
  return [...links.keys()].sort().find((path) => linkLeavesTree(path, links));
}
