import { checkConforming } from "#lib/code/graph/graph-faults.ts";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { readRevision, writeRevision } from "#lib/code/graph/neo4j-revision-content.ts";
import { revisionFaults } from "#lib/code/graph/neo4j-revision-faults.ts";
import {
  beginRevision,
  currentRevision,
  describeRevision,
  isWhole,
  moveToRevision,
  removeRevisions,
} from "#lib/code/graph/neo4j-revisions.ts";
import { neo4jSearchIndex } from "#lib/code/graph/neo4j-search-index.ts";
import type { SearchIndex } from "#lib/code/graph/search.ts";
import type { Cypher } from "#lib/code/neo4j/cypher.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";

export interface Neo4jStorePorts {
  cypher: Cypher;
  /** Creates the constraints and indexes for vectors of `dimensions`, once per process. */
  prepare(dimensions: number): Promise<void>;
  runtime: Pick<Runtime, "now" | "uuid">;
  /** Makes one call to Neo4j through its circuit. */
  call<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

/** Reads of a revision that another publication may remove meanwhile. */
const READS_MAX = 3;

/**
 * A revision is written under a new id, which nobody reads until one transaction points the repository's
 * node to it. So no reader sees a partial index, even after a crash, and two that publish at once
 * never change each other's nodes.
 */
export function neo4jGraphStore({ cypher, prepare, runtime, call }: Neo4jStorePorts): GraphStore {
  return {
    publish: (snapshot, signal) =>
      call(async (time_limit) => {
        const stop = signal ? AbortSignal.any([signal, time_limit]) : time_limit;
        checkConforming(snapshot);
        await prepare(snapshot.dimensions);
        const { tenant, repository } = snapshot;
        const written = describeRevision(snapshot, runtime.uuid().replaceAll("-", ""));
        const current = await currentRevision(cypher, tenant, repository);
        const same = current?.content_sha256 === written.content_sha256;
        if (same && (await isWhole(cypher, current))) return;
        await removeRevisions(cypher, snapshot, runtime.now(), stop);
        stop.throwIfAborted();
        await beginRevision(cypher, snapshot, written, runtime.now());
        await writeRevision(snapshot, written.id, cypher, stop);
        stop.throwIfAborted();
        await moveToRevision(cypher, snapshot, written.id, runtime.now());
      }),

    latest: (tenant, repository) =>
      call(async () => {
        for (let read = 0; read < READS_MAX; read++) {
          const written = await currentRevision(cypher, tenant, repository);
          if (!written) return undefined;
          const snapshot = await readRevision(cypher, { tenant, repository }, written);
          if (snapshot) return snapshot;
        }
        throw new TerminalFault(
          "SNAPSHOT_INCOMPLETE",
          `Parts of the index of ${repository} are missing in Neo4j; index the repository again to replace it.`,
        );
      }),

    async open(tenant, repository) {
      const found = await call(async () => {
        const written = await currentRevision(cypher, tenant, repository);
        return written && { written, faults: await revisionFaults(cypher, repository, written) };
      });
      if (!found) return undefined;
      const { revision, embedder: name, dimensions, tokenizer_sha256, vectors } = found.written;
      const index = throughCircuit(neo4jSearchIndex(cypher, tenant, found.written), call);
      const embedder = vectors > 0 ? { name, dimensions, tokenizer_sha256 } : undefined;
      return { ...index, revision, embedder, faults: found.faults };
    },
  };
}

function throughCircuit(index: SearchIndex, call: Neo4jStorePorts["call"]): SearchIndex {
  return {
    byWords: (query, hits_max) => call(() => index.byWords(query, hits_max)),
    byMeaning: (vector, hits_max) => call(() => index.byMeaning(vector, hits_max)),
    byName: (query) => call(() => index.byName(query)),
    describe: (chunks, best) => call(() => index.describe(chunks, best)),
  };
}
