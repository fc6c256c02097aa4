import type { Readable } from "node:stream";
import { unreadableObjects } from "#lib/code/source/git-fault.ts";
import { runGit, runLimitsOf } from "#lib/code/source/run-git.ts";
import type { SourceLimits, SourcePorts } from "#lib/code/source/source-ports.ts";
import { byPath, isInGitDirectory } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/** One file of a revision as git stores it; `mode` 120000 is a link, 160000 a submodule. */
export interface RevisionObject {
  mode: string;
  id: string;
  bytes: number;
  path: string;
}

const LINE = /^(?<mode>\d+) \w+ (?<id>[0-9a-f]+)\s+(?<size>\d+|-)\t(?<path>.*)$/s;

/** Of the list of files: 50,000 files with paths of 600 bytes. A tree may name itself many times over. */
const LISTED_BYTES_MAX = 32 * 1024 * 1024;
/** Of one line: far more than the longest path that is taken. */
const LINE_BYTES_MAX = 64 * 1024;

/**
 * All files of one revision of a bare repository, by path.
 *
 * @throws RejectedInput `SOURCE_TOO_LARGE`, `SOURCE_TOO_MANY_FILES` as soon as it is known, so
 * that a tree which names itself many times over ends here
 */
export async function listRevision(
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
