import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

const SIZE_CHECK_MS = 200;

/**
 * Does what git is needed for in a repository, and ends it when what was written outgrows the tree's limit,
 * or when it takes too long: git itself bounds neither. A server may send for ever, and a tree of a few
 * objects may name itself so often that listing it never ends.
 *
 * @throws RejectedInput `SOURCE_TOO_LARGE`, `GIT_TIME_LIMIT`
 */
export async function withinFetchLimits<Result>(
  repository: string,
  ports: SourcePorts,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const left_ms = (ports.deadline_ms ?? Number.POSITIVE_INFINITY) - Date.now();
  const wall_ms = Math.max(1, Math.min(ports.git_limits.fetch_seconds_max * 1000, left_ms));
  const bytes_max = ports.limits.tree_bytes_max;
  const stop = new AbortController();
  const done = new AbortController();
  const timeout = AbortSignal.timeout(Math.ceil(wall_ms));
  const watch = watchSize(repository, bytes_max, stop, done.signal);
  try {
    return await work(AbortSignal.any([ports.signal, stop.signal, timeout]));
  } catch (error) {
    if (ports.signal.aborted || stop.signal.aborted) throw error;
    if ((await sizeOf(join(repository, "objects"))) > bytes_max) throw tooLarge(bytes_max);
    if (!timeout.aborted) throw error;
    throw new RejectedInput(
      "GIT_TIME_LIMIT",
      `Fetching the git source was ended after ${(wall_ms / 1000).toFixed(1)} seconds, which is its limit. Pack the part that is needed and upload it, give a later deadline, or raise git.fetch_seconds_max in configs/computation_limits.json.`,
      { cause: error },
    );
  } finally {
    done.abort();
    await watch;
  }
}

async function watchSize(
  repository: string,
  bytes_max: number,
  stop: AbortController,
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    if ((await sizeOf(join(repository, "objects"))) > bytes_max) {
      stop.abort(tooLarge(bytes_max));
      return;
    }
    await delay(SIZE_CHECK_MS, undefined, { signal: done }).catch(() => {});
  }
}

function tooLarge(bytes_max: number): RejectedInput {
  return new RejectedInput(
    "SOURCE_TOO_LARGE",
    `The repository's revision is larger than ${bytes_max} bytes. Pack the part that is needed and upload it.`,
  );
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    // A file that git has just moved away counts next time.
    bytes += (await lstat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
