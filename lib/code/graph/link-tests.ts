import { normalize } from "node:path/posix";
import type { LinkedTest, Snapshot, SnapshotFile } from "#lib/code/graph/snapshot.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const NAME_CHARACTERS_MAX = 300;

/**
 * Results whose test file is in the tree, failed ones first. Runners name files by absolute path
 * or from the root: the longest path in the tree that ends it is meant.
 */
export function linkTests(tests: readonly TestCase[], files: readonly SnapshotFile[]): LinkedTest[] {
  const places = pathEnds(files);
  const linked = tests.flatMap(({ file, name, status }) => {
    const place = file === null ? undefined : placeOf(file, places);
    return place === undefined ? [] : [{ file: place, name: name.slice(0, NAME_CHARACTERS_MAX), status }];
  });
  return linked.sort((a, b) => Number(b.status === "failed") - Number(a.status === "failed"));
}

/** Paths by their names from the last to the first, so that the file a longer path ends in is found in one walk. */
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

/** The results known of the same tree, when it is indexed again without a report. */
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
