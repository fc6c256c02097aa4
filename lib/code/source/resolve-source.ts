import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readGitSource } from "#lib/code/source/git-source.ts";
import { packRevision } from "#lib/code/source/pack-revision.ts";
import {
  gitFault,
  requirePinning,
  runGit,
  runLimitsOf,
  unreadableObjects,
} from "#lib/code/source/run-git.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { RejectedInput, RetryableFault } from "#lib/platform/errors/fault.ts";
import { addressOf, resolveHost } from "#lib/platform/outbound/resolve-host.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/**
 * Turns a source into a stored archive, so that every later step works on the same bytes
 * even when the branch moves. An archive is returned unchanged; of a git source one
 * revision is fetched (no history, no submodules, LFS files as pointers) and packed
 * deterministically without `.git`.
 *
 * @throws RejectedInput `GIT_URL_INVALID`, `GIT_REF_INVALID`, `GIT_REF_NOT_FOUND`,
 * `GIT_HOST_FORBIDDEN`, `GIT_REPOSITORY_REFUSED` (it does not exist, or needs credentials),
 * `SOURCE_TOO_LARGE`, `SOURCE_TOO_MANY_FILES`, `SOURCE_PATH_UNSAFE`, `SOURCE_LINK_UNSAFE`,
 * `GIT_TIME_LIMIT`, `GIT_MEMORY_LIMIT`, `GIT_OUTPUT_LIMIT`;
 * RetryableFault `GIT_REPOSITORY_UNREACHABLE` (may be there later), `GIT_OBJECTS_UNREADABLE`;
 * TerminalFault `GIT_UNAVAILABLE`
 */
export async function resolveSource(
  source: SourceRef,
  ports: SourcePorts,
): Promise<{ kind: "archive"; blob: BlobRef }> {
  if (source.kind === "archive") return { kind: "archive", blob: source.blob };
  const { url, ref } = readGitSource(source, ports.outbound);
  const pin = await pinnedHost(url, ports);
  const archive = await withTemporaryDirectory("git", (directory) =>
    fetchArchive(directory, url, ref, pin, ports),
  );
  return { kind: "archive", blob: await ports.blobs.write(archive, "application/gzip") };
}

async function fetchArchive(
  directory: string,
  url: URL,
  ref: string,
  configuration: string[],
  ports: SourcePorts,
): Promise<Buffer> {
  const repository = join(directory, "repository.git");
  const run = { repository, program: ports.git_program, limits: runLimitsOf(ports) };
  const made = await runGit(["init", "--bare", "--quiet", "--template=", repository], {
    ...run,
    signal: ports.signal,
  });
  if (made.exit_code !== 0) throw unreadableObjects(made.stderr);
  return withinFetchLimits(repository, ports, async (signal) => {
    const fetched = await runGit(
      ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", url.href, ref],
      { ...run, signal, configuration, protocols: ports.outbound.schemes },
    );
    if (fetched.exit_code !== 0) throw gitFault(fetched.stderr, url.href, ref);
    return packRevision(repository, "FETCH_HEAD", { ...ports, signal });
  });
}

/**
 * Git configuration that pins a host to the addresses that were checked, even if its name resolves to
 * others later.
 *
 * @throws RejectedInput `GIT_HOST_FORBIDDEN` when any address is not allowed, `GIT_REPOSITORY_REFUSED`
 * when the host does not exist; RetryableFault `GIT_REPOSITORY_UNREACHABLE` when the name server gave
 * no answer; TerminalFault `GIT_UNAVAILABLE` when git is too old to be pinned to an address
 */
async function pinnedHost(url: URL, ports: SourcePorts): Promise<string[]> {
  const { hostname: host } = url;
  const resolved = await resolveHost(host, ports.outbound, ports.lookup);
  switch (resolved.kind) {
    case "addresses":
      return addressOf(host) === undefined ? pinTo(url, resolved.addresses, ports) : [];
    case "forbidden":
      throw new RejectedInput(
        "GIT_HOST_FORBIDDEN",
        `${host} leads to an address that is not public. Name a repository on a public host, or pack the tree and upload it.`,
      );
    case "unknown":
      throw new RejectedInput(
        "GIT_REPOSITORY_REFUSED",
        `There is no host named ${host}. Check the git source's URL.`,
      );
    case "unanswered":
      throw new RetryableFault(
        "GIT_REPOSITORY_UNREACHABLE",
        `The name ${host} could not be resolved now. It is tried again.`,
        { cause: resolved.cause },
      );
  }
}

async function pinTo(
  { hostname, port, protocol }: URL,
  addresses: string[],
  ports: SourcePorts,
): Promise<string[]> {
  await requirePinning(ports);
  const targets = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  const effective_port = port || (protocol === "https:" ? "443" : "80");
  return [`http.curloptResolve=${hostname}:${effective_port}:${targets.join(",")}`];
}

const SIZE_CHECK_MS = 200;

/**
 * Runs git work in a repository, and aborts it when the fetched objects exceed the tree's size limit
 * or when it takes too long. Git limits neither: a server may send for ever, and a tree of a few
 * objects may contain itself so often that listing it never ends.
 *
 * @throws RejectedInput `SOURCE_TOO_LARGE`, `GIT_TIME_LIMIT`
 */
async function withinFetchLimits<Result>(
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
    // A file that git has just moved is counted by the next check.
    bytes += (await lstat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
