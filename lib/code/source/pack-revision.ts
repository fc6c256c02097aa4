import type { Readable } from "node:stream";
import {
  type ArchiveEntry,
  checkPackedLinks,
  checkTreePath,
  writeArchive,
} from "#lib/code/source/pack-source.ts";
import { runGit, runLimitsOf, unreadableObjects } from "#lib/code/source/run-git.ts";
import type { SourceLimits, SourcePorts } from "#lib/code/source/source-ports.ts";
import { byPath, isInGitDirectory } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

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

/** One file of a revision as git stores it; `mode` 120000 is a link, 160000 a submodule. */
interface RevisionObject {
  mode: string;
  id: string;
  bytes: number;
  path: string;
}

const LINE = /^(?<mode>\d+) \w+ (?<id>[0-9a-f]+)\s+(?<size>\d+|-)\t(?<path>.*)$/s;

/** Size of the list of files, enough for 50,000 paths of 600 bytes. A tree may contain itself many times. */
const LISTED_BYTES_MAX = 32 * 1024 * 1024;
/** Size of one line, far more than the longest accepted path. */
const LINE_BYTES_MAX = 64 * 1024;

/**
 * All files of one revision of a bare repository, by path.
 *
 * @throws RejectedInput `SOURCE_TOO_LARGE`, `SOURCE_TOO_MANY_FILES` as soon as a limit is exceeded, so
 * that a tree which contains itself many times ends here
 */
async function listRevision(
  repository: string,
  revision: string,
  ports: SourcePorts,
): Promise<RevisionObject[]> {
  const objects: RevisionObject[] = [];
  const listed = await runGit(["ls-tree", "-r", "-z", "-l", "--full-tree", revision], {
    repository,
    signal: ports.signal,
    limits: runLimitsOf(ports),
    program: ports.git_program,
    exchange: (stdin, stdout) => {
      stdin.end();
      return readList(stdout, objects, ports.limits);
    },
  });
  if (listed.exit_code !== 0) throw unreadableObjects(listed.stderr);
  return objects.filter((object) => !isInGitDirectory(object.path)).sort(byPath);
}

async function readList(stdout: Readable, objects: RevisionObject[], limits: SourceLimits): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let tree_bytes = 0;
  let listed_bytes = 0;
  for await (const chunk of stdout) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    listed_bytes += (chunk as Buffer).length;
    if (listed_bytes > LISTED_BYTES_MAX) throw tooManyFiles(limits);
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      const object = parseLine(rest.subarray(0, end).toString("utf8"));
      rest = rest.subarray(end + 1);
      objects.push(object);
      tree_bytes += object.bytes;
      checkSize(object.path, objects.length, tree_bytes, limits);
    }
    if (rest.length > LINE_BYTES_MAX) throw pathTooLong();
  }
}

function parseLine(line: string): RevisionObject {
  const { mode, id, size, path } = LINE.exec(line)?.groups ?? {};
  if (mode === undefined || id === undefined || path === undefined) throw unreadableObjects(line);
  return { mode, id, path, bytes: size === "-" ? 0 : Number(size) };
}

function checkSize(path: string, files: number, tree_bytes: number, limits: SourceLimits): void {
  if (files > limits.tree_files_max) throw tooManyFiles(limits);
  if (tree_bytes > limits.tree_bytes_max) {
    throw new RejectedInput(
      "SOURCE_TOO_LARGE",
      `The revision's files are larger than ${limits.tree_bytes_max} bytes together (reached at ${JSON.stringify(path)}). Pack the part that is needed and upload it.`,
    );
  }
}

function tooManyFiles({ tree_files_max }: SourceLimits): RejectedInput {
  return new RejectedInput(
    "SOURCE_TOO_MANY_FILES",
    `The revision has more than ${tree_files_max} files, or their paths are too long together. Pack the part that is needed and upload it.`,
  );
}

function pathTooLong(): RejectedInput {
  return new RejectedInput(
    "SOURCE_PATH_UNSAFE",
    `A path of the revision has more than ${LINE_BYTES_MAX} bytes. Rename the file.`,
  );
}

/**
 * Gives `consume` the bytes of each object in order, holding about one in memory at a time. They are
 * the bytes git stores: no checkout, so no filter, attribute or line-ending setting changes them.
 *
 * @throws RetryableFault `GIT_OBJECTS_UNREADABLE`
 */
async function readObjects<Result>(
  repository: string,
  objects: readonly RevisionObject[],
  ports: SourcePorts,
  consume: (contents: AsyncIterable<Buffer>) => Promise<Result>,
): Promise<Result> {
  const results: Result[] = [];
  const read = await runGit(["cat-file", "--batch", "--buffer"], {
    repository,
    signal: ports.signal,
    limits: runLimitsOf(ports),
    program: ports.git_program,
    exchange: async (stdin, stdout) => {
      stdin.end(objects.map((object) => `${object.id}\n`).join(""));
      results.push(await consume(contentsOf(stdout, objects)));
    },
  });
  const [result] = results;
  if (read.exit_code !== 0 || result === undefined) throw unreadableObjects(read.stderr);
  return result;
}

/** Reads `<id> blob <size>\n<bytes>\n` for each object asked for (git-cat-file, "batch output"). */
async function* contentsOf(stdout: Readable, objects: readonly RevisionObject[]): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let held = 0;
  let next = 0;
  for await (const chunk of stdout) {
    chunks.push(chunk as Buffer);
    held += (chunk as Buffer).length;
    const wanted = frameLength(objects[next]);
    if (held < wanted) continue;
    let rest = Buffer.concat(chunks);
    for (let object = objects[next]; object !== undefined; object = objects[next]) {
      const length = frameLength(object);
      if (rest.length < length) break;
      const header = `${object.id} blob ${object.bytes}\n`;
      if (rest.toString("latin1", 0, header.length) !== header)
        throw unreadableObjects("git sent another object");
      yield rest.subarray(header.length, length - 1);
      rest = rest.subarray(length);
      next += 1;
    }
    chunks = [rest];
    held = rest.length;
  }
  if (next < objects.length) throw unreadableObjects(`${objects.length - next} objects are missing`);
}

function frameLength(object: RevisionObject | undefined): number {
  return object === undefined ? 0 : `${object.id} blob ${object.bytes}\n`.length + object.bytes + 1;
}
