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

/** All that fetching, packing and unpacking a source tree needs of its surroundings. */
export interface SourcePorts {
  blobs: BlobStore;
  limits: SourceLimits;
  signal: AbortSignal;
  /** Where a git source may lead. */
  outbound: OutboundRules;
  /** Resolves names, when the system is not to. */
  lookup?: Lookup;
  /** The git program, when it is not the one on the standard path. */
  git_program?: string;
}
