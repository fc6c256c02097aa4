import { listRevision, type RevisionObject } from "#lib/code/source/list-revision.ts";
import { checkPackedLinks, checkTreePath } from "#lib/code/source/pack-source.ts";
import { readObjects } from "#lib/code/source/read-objects.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { type ArchiveEntry, writeArchive } from "#lib/code/source/write-archive.ts";

/**
 * Packs one revision of a bare repository as `packDirectory` packs a directory. A submodule
 * becomes an empty directory, as it is in a clone without submodules.
 *
 * @throws RejectedInput `SOURCE_PATH_UNSAFE`, `SOURCE_LINK_UNSAFE`, `SOURCE_TOO_LARGE`,
 * `SOURCE_TOO_MANY_FILES`; RetryableFault `GIT_OBJECTS_UNREADABLE`
 */
export async function packRevision(
  repository: string,
  revision: string,
  ports: SourcePorts,
): Promise<Buffer> {
  const objects = await listRevision(repository, revision, ports);
  for (const object of objects) checkTreePath(object.path);
  const links = objects.filter((object) => object.mode === "120000");
  await readObjects(repository, links, ports, async (contents) => {
    const entries: ArchiveEntry[] = [];
    for await (const entry of entriesOf(links, contents)) entries.push(entry);
    checkPackedLinks(entries);
    return true;
  });
  const stored = objects.filter((object) => object.mode !== "160000");
  return readObjects(repository, stored, ports, (contents) =>
    writeArchive(entriesOf(objects, contents), ports.limits),
  );
}

async function* entriesOf(
  objects: readonly RevisionObject[],
  contents: AsyncIterable<Buffer>,
): AsyncGenerator<ArchiveEntry> {
  const submodules = objects.filter((object) => object.mode === "160000");
  const stored = objects.filter((object) => object.mode !== "160000");
  let next = 0;
  for await (const bytes of contents) {
    const object = stored[next];
    next += 1;
    if (object !== undefined) yield entryOf(object, bytes);
  }
  for (const submodule of submodules) yield { kind: "directory", path: submodule.path };
}

function entryOf(object: RevisionObject, bytes: Buffer): ArchiveEntry {
  if (object.mode === "120000") {
    return { kind: "symbolic link", path: object.path, target: bytes.toString("utf8") };
  }
  return { kind: "file", path: object.path, executable: object.mode === "100755", bytes };
}
