import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

/** Sizes a source tree may have; they come from `configs/sandbox_limits.json`. */
export interface SourceLimits {
  /** Bytes of the packed archive. */
  source_bytes_max: number;
  /** Bytes of all files of the unpacked tree together. */
  tree_bytes_max: number;
  /** Files, links and directories of the unpacked tree together. */
  tree_files_max: number;
}

/** Limits of fetching by git; they come from `configs/computation_limits.json`. */
interface GitLimits {
  fetch_seconds_max: number;
  /** Private memory of each process. */
  memory_bytes_max: number;
}

/** What fetching, packing and unpacking a source tree needs. */
export interface SourcePorts {
  blobs: BlobStore;
  limits: SourceLimits;
  git_limits: GitLimits;
  signal: AbortSignal;
  /** Unix ms: the task's deadline; a fetch ends by then. */
  deadline_ms?: number;
  /** Checks and unpacks an archive; throws the codes of `unpackArchive` in unpack-archive.ts. */
  unpackArchive(bytes: Uint8Array, directory: string, limits: SourceLimits): Promise<void>;
  /** Schemes and addresses allowed for a git source. */
  outbound: OutboundRules;
  /** Resolves host names in place of the system's resolver. */
  lookup?: Lookup;
  /** The git program; by default `git` on the standard path. */
  git_program?: string;
}
