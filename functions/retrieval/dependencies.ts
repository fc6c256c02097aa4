import { s3Blobs } from "#lib/artifacts/s3-blobs.ts";
import { documentClient } from "#lib/aws/clients.ts";
import { config } from "#lib/config/config.ts";
import { minilmEmbedder } from "#lib/embedding/minilm-embedder.ts";
import { dynamodbSnapshotPointers } from "#lib/graph/dynamodb-snapshot-pointers.ts";
import { embeddedGraphStore } from "#lib/graph/embedded-graph-store.ts";
import { snapshotCache } from "#lib/graph/snapshot-cache.ts";
import type { Log } from "#lib/log/log.ts";
import type { QueryPorts } from "./answer-query.ts";

/** A word index takes about twice its snapshot; the function has 2 GB. */
const cache = snapshotCache({ entries_max: 16, bytes_max: 256 * 1024 * 1024 });

/** What `answerQuery` runs on, on every stage. */
export function dependencies(log: Log): QueryPorts {
  const { table_name } = config.environment();
  return {
    graph: embeddedGraphStore({
      blobs: (tenant) => s3Blobs({ tenant }),
      pointers: dynamodbSnapshotPointers(documentClient(), table_name),
      cache,
    }),
    embedder: minilmEmbedder(),
    settings: config.graph().value,
    log,
  };
}
