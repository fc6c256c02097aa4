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

/** All that fetching, packing and unpacking a source tree needs of its surroundings. */
export interface SourcePorts {
  blobs: BlobStore;
  limits: SourceLimits;
  git_limits: GitLimits;
  signal: AbortSignal;
  /** Unix ms: the task's deadline, which the time of a fetch is cut to. */
  deadline_ms?: number;
  /** Checks and unpacks an archive. Throws the codes of `unpackArchive` (unpack-archive.ts). */
  unpackArchive(bytes: Uint8Array, directory: string, limits: SourceLimits): Promise<void>;
  /** Where a git source may lead. */
  outbound: OutboundRules;
  /** Resolves names, when the system is not to. */
  lookup?: Lookup;
  /** The git program, when it is not the one on the standard path. */
  git_program?: string;
}
