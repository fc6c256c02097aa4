import type { Readable } from "node:stream";
import { unreadableObjects } from "#lib/code/source/git-fault.ts";
import type { RevisionObject } from "#lib/code/source/list-revision.ts";
import { runGit, runLimitsOf } from "#lib/code/source/run-git.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";

/**
 * Hands `consume` the bytes of each object, in their order, holding about one at a time. They are
 * the bytes git stores: no checkout, so no filter, attribute or line-ending setting changes them.
 *
 * @throws RetryableFault `GIT_OBJECTS_UNREADABLE`
 */
export async function readObjects<Result>(
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
        throw unreadableObjects("another object came");
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
