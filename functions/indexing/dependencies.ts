import type { AgentContext } from "#lib/agent/agent.ts";
import { s3Blobs } from "#lib/artifacts/s3-blobs.ts";
import { documentClient } from "#lib/aws/clients.ts";
import { config } from "#lib/config/config.ts";
import { applyDiff } from "#lib/diff/apply-diff.ts";
import { minilmEmbedder } from "#lib/embedding/minilm-embedder.ts";
import { dynamodbSnapshotPointers } from "#lib/graph/dynamodb-snapshot-pointers.ts";
import { embeddedGraphStore } from "#lib/graph/embedded-graph-store.ts";
import { sourcesOf } from "#lib/source/sources-of.ts";
import type { IndexPorts } from "./index-repository.ts";

/** What `indexRepository` runs on, on every stage. */
export function dependencies(context: AgentContext): IndexPorts {
  const { table_name } = config.environment();
  return {
    ...sourcesOf(context),
    applyDiff,
    graph: embeddedGraphStore({
      blobs: (tenant) => s3Blobs({ tenant, snapshots: true }),
      pointers: dynamodbSnapshotPointers(documentClient(), table_name),
    }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
  };
}
