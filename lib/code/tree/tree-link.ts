/** Linux PATH_MAX without its NUL: no longer target can be written. */
const TARGET_BYTES_MAX = 4095;

/**
 * Why `target` cannot be what a symbolic link holds, as the end of a sentence, or undefined when it can.
 */
export function linkTargetProblem(target: string): string | undefined {
  if (target === "") return "is empty";
  if (!target.isWellFormed() || /[\uFFFD\0]/.test(target)) return "is not valid UTF-8";
  if (Buffer.byteLength(target) > TARGET_BYTES_MAX) return `is longer than ${TARGET_BYTES_MAX} bytes`;
  return undefined;
}

/** A directory on the way to a link, or a link, of the tree. */
interface Place {
  readonly parent: Place | undefined;
  children?: Map<string, Place>;
  /** Of a symbolic link: its target, and where it ends once that is known. */
  target?: string;
  end?: End;
}

/** So many names below a place, where no link is. */
interface Position {
  place: Place;
  below: number;
}

/** Where following a link ends: in the tree, outside of it, or nowhere (a loop). */
type End = Position | "outside" | "nowhere";

/** A link that is being followed, with what is left of its target. */
interface Walk {
  readonly link: Place;
  readonly segments: readonly string[];
  next: number;
  at: Position;
}

/**
 * The first symbolic link, in path order, that leads out of the tree, given every link of the tree
 * (path → target). Links on the way are followed as the kernel does: `l/..` is the parent of what `l`
 * points to, so comparing texts alone would miss an escape in two steps. A target that does not exist,
 * and a loop, stay inside.
 *
 * Every target is walked once and its end is kept, so the work is linear in the length of all paths and
 * targets together, whatever chains they form.
 */
export function findEscapingLink(links: ReadonlyMap<string, string>): string | undefined {
  const root: Place = { parent: undefined };
  const places = new Map<string, Place>();
  for (const [path, target] of links) {
    let place = root;
    for (const segment of path.split("/")) place = childOf(place, segment);
    place.target = target;
    places.set(path, place);
  }
  for (const path of [...links.keys()].sort()) {
    const place = places.get(path);
    if (place && followLink(place) === "outside") return path;
  }
  return undefined;
}

function childOf(place: Place, name: string): Place {
  place.children ??= new Map();
  const known = place.children.get(name);
  if (known) return known;
  const child: Place = { parent: place };
  place.children.set(name, child);
  return child;
}

/** Without recursion: a chain of links may be as long as there are links. */
function followLink(first: Place): End {
  if (first.end !== undefined) return first.end;
  const walks = [startWalk(first)];
  for (let walk = walks.at(-1); walk !== undefined; walk = walks.at(-1)) {
    const outcome = goOn(walk);
    if ("link" in outcome) {
      walks.push(startWalk(outcome.link));
      continue;
    }
    walk.link.end = outcome.end;
    walks.pop();
    // The walk that was interrupted goes on at the end of the link it met, or ends with it.
    const outer = walks.at(-1);
    if (outer) arrive(outer, outcome.end);
  }
  return first.end ?? "nowhere";
}

function startWalk(link: Place): Walk {
  // Whoever meets this link before its end is known is in a loop.
  link.end = "nowhere";
  const target = link.target ?? "";
  const walk: Walk = {
    link,
    segments: target.split("/"),
    next: 0,
    at: { place: link.parent ?? link, below: 0 },
  };
  if (target.startsWith("/")) arrive(walk, "outside");
  return walk;
}

function arrive(walk: Walk, end: End): void {
  if (typeof end !== "string") {
    walk.at = { ...end };
    return;
  }
  walk.link.end = end;
  walk.next = Number.POSITIVE_INFINITY;
}

/** Follows a target until its end, or until a link that has not been followed yet. */
function goOn(walk: Walk): { end: End } | { link: Place } {
  const { at } = walk;
  while (walk.next < walk.segments.length) {
    const segment = walk.segments[walk.next] ?? "";
    walk.next += 1;
    if (segment === "" || segment === ".") continue;
    if (segment === "..") {
      if (at.below > 0) at.below -= 1;
      else if (at.place.parent === undefined) return { end: "outside" };
      else at.place = at.place.parent;
      continue;
    }
    const child = at.below === 0 ? at.place.children?.get(segment) : undefined;
    if (child === undefined) at.below += 1;
    else if (child.target === undefined) at.place = child;
    else if (child.end === undefined) return { link: child };
    else if (typeof child.end === "string") return { end: child.end };
    else Object.assign(at, child.end);
  }
  const ended = walk.next === Number.POSITIVE_INFINITY ? walk.link.end : undefined;
  return { end: ended ?? { ...at } };
}
