import type { AgentContext } from "#lib/agent/agent.ts";
import { s3Blobs } from "#lib/artifacts/s3-blobs.ts";
import { documentClient } from "#lib/aws/clients.ts";
import { config } from "#lib/config/config.ts";
import { applyDiff } from "#lib/diff/apply-diff.ts";
import { minilmEmbedder } from "#lib/embedding/minilm-embedder.ts";
import { dynamodbSnapshotPointers } from "#lib/graph/dynamodb-snapshot-pointers.ts";
import { embeddedGraphStore } from "#lib/graph/embedded-graph-store.ts";
import { resolveSource } from "#lib/source/resolve-source.ts";
import type { SourcePorts } from "#lib/source/source-ports.ts";
import { unpackSource } from "#lib/source/unpack-source.ts";
import type { IndexPorts } from "./index-repository.ts";

/** What `indexRepository` runs on, on every stage. */
export function dependencies({ blobs, signal }: AgentContext): IndexPorts {
  const { table_name, allow_private_git_hosts } = config.environment();
  const source: SourcePorts = {
    blobs,
    signal,
    limits: config.sandboxLimits().value,
    allow_private_hosts: allow_private_git_hosts,
  };
  return {
    resolveSource: (reference) => resolveSource(reference, source),
    unpackSource: (archive, directory) => unpackSource(archive, directory, source),
    applyDiff,
    graph: embeddedGraphStore({
      blobs: (tenant) => s3Blobs({ tenant, snapshots: true }),
      pointers: dynamodbSnapshotPointers(documentClient(), table_name),
    }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
  };
}
