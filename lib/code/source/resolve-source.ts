import { join } from "node:path";
import { gitFault, unreadableObjects } from "#lib/code/source/git-fault.ts";
import { checkGitRef, gitUrl } from "#lib/code/source/git-url.ts";
import { packRevision } from "#lib/code/source/pack-revision.ts";
import { pinnedHost } from "#lib/code/source/pinned-host.ts";
import { runGit, runLimitsOf } from "#lib/code/source/run-git.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { withinFetchLimits } from "#lib/code/source/within-fetch-limits.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/**
 * Turns a source into an archive by content, so that every later step works on the same bytes
 * whatever happens to the branch meanwhile. An archive stays what it is; of a git source one
 * revision is fetched (no history, no submodules, LFS files as pointers) and packed
 * deterministically without `.git`.
 *
 * @throws RejectedInput `GIT_URL_INVALID`, `GIT_REF_INVALID`, `GIT_REF_NOT_FOUND`,
 * `GIT_HOST_FORBIDDEN`, `GIT_REPOSITORY_REFUSED` (there is none, or it wants credentials),
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
  const url = gitUrl(source.url, ports.outbound);
  const ref = source.ref ?? "HEAD";
  checkGitRef(ref);
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
