import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { RejectedInput, RetryableFault } from "#lib/platform/errors/fault.ts";

const FETCH_SECONDS_MAX = 300;
const SIZE_CHECK_MS = 200;

/**
 * Runs a fetch into a repository and ends it when what it wrote outgrows the tree's limit, or when
 * it takes too long: git itself bounds neither.
 *
 * @throws RejectedInput `SOURCE_TOO_LARGE`; RetryableFault `GIT_REPOSITORY_UNREACHABLE`
 */
export async function withinFetchLimits(
  repository: string,
  ports: SourcePorts,
  fetch: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const done = new AbortController();
  const timeout = AbortSignal.timeout(FETCH_SECONDS_MAX * 1000);
  const watch = watchSize(repository, ports.limits.tree_bytes_max, stop, done.signal);
  try {
    await fetch(AbortSignal.any([ports.signal, stop.signal, timeout]));
  } catch (error) {
    if (ports.signal.aborted || !timeout.aborted) throw error;
    throw new RetryableFault(
      "GIT_REPOSITORY_UNREACHABLE",
      `The fetch took longer than ${FETCH_SECONDS_MAX} seconds. It is tried again.`,
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
      stop.abort(
        new RejectedInput(
          "SOURCE_TOO_LARGE",
          `The repository's revision is larger than ${bytes_max} bytes. Pack the part that is needed and upload it.`,
        ),
      );
      return;
    }
    await delay(SIZE_CHECK_MS, undefined, { signal: done }).catch(() => {});
  }
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
