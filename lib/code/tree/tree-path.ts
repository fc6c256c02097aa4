const SEGMENT_BYTES_MAX = 255;
const PATH_BYTES_MAX = 2048;

/**
 * Why `path` cannot name a file inside a tree, as the end of a sentence ("… is absolute"), or
 * undefined when it can. A tree path is relative, parted by `/`, has no empty, `.` or `..` part,
 * no control character, and is well-formed Unicode, so that it means one file everywhere.
 */
export function treePathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.startsWith("/")) return "is absolute";
  if (!path.isWellFormed() || path.includes("\uFFFD")) return "is not valid UTF-8";
  if (hasControlCharacter(path)) return "has a control character in it";
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return `is longer than ${PATH_BYTES_MAX} bytes`;
  for (const segment of path.split("/")) {
    if (segment === "..") return "leaves the tree by `..`";
    if (segment === "" || segment === ".") return "has an empty or `.` part";
    if (Buffer.byteLength(segment) > SEGMENT_BYTES_MAX) {
      return `has a part longer than ${SEGMENT_BYTES_MAX} bytes`;
    }
  }
  return undefined;
}

/** Git keeps its own state below such a path: no change and no packed tree may hold one. */
export function isInGitDirectory(path: string): boolean {
  return path.split("/").some((segment) => segment.toLowerCase() === ".git");
}

/** `a/b/c` → `a`, `a/b`. */
export function ancestorsOf(path: string): string[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** `a/b/c` → `a/b`; undefined for a path without a directory. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}

/** Order of paths in archives and diffs: by UTF-16 unit, the same on every machine. */
export function byPath(left: { path: string }, right: { path: string }): number {
  if (left.path === right.path) return 0;
  return left.path < right.path ? -1 : 1;
}

function hasControlCharacter(path: string): boolean {
  for (let index = 0; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}
