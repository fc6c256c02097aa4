import type { SourceLimits, SourcePorts } from "#lib/source/source-ports.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";

/** Ports in memory, with limits a test can reach. */
export function fakeSourcePorts(limits: Partial<SourceLimits> = {}): SourcePorts {
  return {
    blobs: fakeBlobStore(),
    signal: new AbortController().signal,
    allow_private_hosts: false,
    limits: { source_bytes_max: 1_000_000, tree_bytes_max: 1_000_000, tree_files_max: 1000, ...limits },
  };
}
