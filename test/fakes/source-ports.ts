import type { SourceLimits, SourcePorts } from "#lib/code/source/source-ports.ts";
import { unpackArchive } from "#lib/code/source/unpack-archive.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";

/** Ports in memory, with limits a test can reach. */
export function fakeSourcePorts(limits: Partial<SourceLimits> = {}): SourcePorts {
  return {
    blobs: fakeBlobStore(),
    signal: new AbortController().signal,
    outbound: { schemes: ["https", "http"], addresses: "public" },
    git_limits: { fetch_seconds_max: 60, memory_bytes_max: 268_435_456 },
    unpackArchive,
    limits: { source_bytes_max: 1_000_000, tree_bytes_max: 1_000_000, tree_files_max: 1000, ...limits },
  };
}
