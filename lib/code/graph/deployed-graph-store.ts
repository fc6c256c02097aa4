import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { type Neo4jStorePorts, neo4jGraphStore } from "#lib/code/graph/neo4j-graph-store.ts";
import { preparedOnce } from "#lib/code/graph/neo4j-schema.ts";
import type { SnapshotCache } from "#lib/code/graph/snapshot-cache.ts";
import { dynamodbSnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { cypherOver, neo4jDriver } from "#lib/code/neo4j/cypher.ts";
import { documentClient } from "#lib/platform/aws/clients.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { Neo4jSettings } from "#lib/platform/settings/environment.ts";

export interface DeployedStorePorts {
  blobs(tenant: string): BlobStore;
  cache?: SnapshotCache;
  /** Makes one call to a dependency through its circuit. */
  call<Result>(dependency: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

/** The graph store of this deployment: Neo4j when NEO4J_URL is set, else S3 and DynamoDB. */
export function deployedGraphStore({ blobs, cache, call }: DeployedStorePorts): GraphStore {
  const { neo4j, table_name } = config.environment();
  if (!neo4j) {
    const pointers = dynamodbSnapshotPointers({ table: documentClient(), table_name });
    return embeddedGraphStore({ blobs, pointers, ...(cache && { cache }) });
  }
  return neo4jGraphStore({
    ...connectionTo(neo4j),
    runtime: systemRuntime,
    call: (work) => call("neo4j", work),
  });
}

type Connection = Pick<Neo4jStorePorts, "cypher" | "prepare">;

let shared: Connection | undefined;

/** One driver per process, because it keeps a pool of connections. */
function connectionTo(settings: Neo4jSettings): Connection {
  if (shared) return shared;
  const cypher = cypherOver(neo4jDriver(settings), settings);
  shared = { cypher, prepare: preparedOnce(cypher) };
  return shared;
}
