import { normalize } from "node:path/posix";
import type { LinkedTest, Snapshot, SnapshotFile } from "#lib/code/graph/snapshot.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const NAME_CHARACTERS_MAX = 300;
/** What a file system takes: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const PATH_CHARACTERS_MAX = 4096;

/**
 * Keeps the results whose test file is in the tree, failed ones first. Runners give an absolute path or one
 * relative to the root, so a result belongs to the longest path of the tree that its path ends with.
 */
export function linkTests(tests: readonly TestCase[], files: readonly SnapshotFile[]): LinkedTest[] {
  const places = pathEnds(files);
  const linked = tests.flatMap(({ file, name, status }) => {
    const place = file === null || file.length > PATH_CHARACTERS_MAX ? undefined : placeOf(file, places);
    return place === undefined ? [] : [{ file: place, name: name.slice(0, NAME_CHARACTERS_MAX), status }];
  });
  return linked.sort((a, b) => Number(b.status === "failed") - Number(a.status === "failed"));
}

/** A tree of path segments from last to first. It finds the file a longer path ends with in one walk. */
interface PathEnds {
  place?: number;
  before: Map<string, PathEnds>;
}

function pathEnds(files: readonly SnapshotFile[]): PathEnds {
  const root: PathEnds = { before: new Map() };
  for (const [place, { path }] of files.entries()) {
    let ends = root;
    for (const name of path.split("/").reverse()) {
      const known = ends.before.get(name) ?? { before: new Map() };
      ends.before.set(name, known);
      ends = known;
    }
    ends.place = place;
  }
  return root;
}

function placeOf(file: string, root: PathEnds): number | undefined {
  const names = normalize(file.replace(/^file:\/\//, "").replaceAll("\\", "/")).split("/");
  let found: number | undefined;
  let ends: PathEnds | undefined = root;
  for (let name = names.pop(); name !== undefined && ends; name = names.pop()) {
    ends = ends.before.get(name);
    found = ends?.place ?? found;
  }
  return found;
}

/** The test results of the previous snapshot, kept when the same tree is indexed again without a report. */
export function keepTests(
  previous: Snapshot | undefined,
  tree: Pick<Snapshot, "revision" | "files">,
): LinkedTest[] {
  if (previous?.revision !== tree.revision) return [];
  const places = new Map(tree.files.map(({ path }, place) => [path, place]));
  return previous.tests.flatMap((test) => {
    const file = places.get(previous.files[test.file]?.path ?? "");
    return file === undefined ? [] : [{ ...test, file }];
  });
}
