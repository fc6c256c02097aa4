import { normalize } from "node:path/posix";
import type { LinkedTest, Snapshot, SnapshotFile } from "#lib/code/graph/snapshot.ts";
import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const NAME_CHARACTERS_MAX = 300;

/**
 * Results whose test file is in the tree, failed ones first. Runners name files by absolute path
 * or from the root: the longest path in the tree that ends it is meant.
 */
export function linkTests(tests: readonly TestCase[], files: readonly SnapshotFile[]): LinkedTest[] {
  const places = new Map(files.map(({ path }, place) => [path, place]));
  const linked = tests.flatMap(({ file, name, status }) => {
    const place = file === null ? undefined : placeOf(file, places);
    return place === undefined ? [] : [{ file: place, name: name.slice(0, NAME_CHARACTERS_MAX), status }];
  });
  return linked.sort((a, b) => Number(b.status === "failed") - Number(a.status === "failed"));
}

function placeOf(file: string, places: ReadonlyMap<string, number>): number | undefined {
  let rest = normalize(file.replace(/^file:\/\//, "").replaceAll("\\", "/"));
  while (rest !== "") {
    const place = places.get(rest);
    if (place !== undefined) return place;
    const slash = rest.indexOf("/");
    if (slash < 0) return undefined;
    rest = rest.slice(slash + 1);
  }
  return undefined;
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
