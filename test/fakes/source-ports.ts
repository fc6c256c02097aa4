import type { SourceLimits, SourcePorts } from "#lib/code/source/source-ports.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";

/** Ports in memory, with limits a test can reach. */
export function fakeSourcePorts(limits: Partial<SourceLimits> = {}): SourcePorts {
  return {
    blobs: fakeBlobStore(),
    signal: new AbortController().signal,
    outbound: { schemes: ["https", "http"], addresses: "public" },
    limits: { source_bytes_max: 1_000_000, tree_bytes_max: 1_000_000, tree_files_max: 1000, ...limits },
  };
}
