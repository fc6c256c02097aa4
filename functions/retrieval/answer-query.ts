import type { Embedder } from "#lib/code/embedding/embedder.ts";
import {
  embedderFault,
  GRAPH_FAULT_METRICS,
  type GraphFault,
  identityOf,
  vectorFault,
} from "#lib/code/graph/graph-faults.ts";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { type SearchableRevision, search } from "#lib/code/graph/search.ts";
import type { Fault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { CountedMetric } from "#lib/platform/metrics/catalogue.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";
import type { QueryRequest } from "#schemas/messages/submission.ts";

export interface QueryPorts {
  graph: Pick<GraphStore, "open">;
  embedder: Embedder;
  settings: Pick<GraphConfig, "meaning_weight" | "candidates">;
  log: Log;
  /** Adds to a metric of the catalogue, under the tenant that asks. */
  count(metric: CountedMetric): void;
}

/**
 * Searches the current snapshot of the tenant's repository; an unknown name gives no results. Where the stored vectors
 * cannot be compared with the question's, only names and words are searched, and `words_only` says why.
 */
export async function answerQuery(
  tenant: string,
  { query, repository, limit }: QueryRequest,
  ports: QueryPorts,
): Promise<QueryAnswer> {
  const index = await ports.graph.open(tenant, repository);
  if (!index) return { repository, revision: null, words_only: null, results: [] };
  const { vector, words_only } = await questionVector(query, index, ports);
  const asked = { text: query, limit, ...(vector ? { vector } : {}) };
  const results = await search(index, asked, ports.settings);
  for (const fault of words_only?.faults ?? []) {
    ports.log.warn("GRAPH_FAULT", fault.detail, { fault: fault.code, repository });
    ports.count(GRAPH_FAULT_METRICS[fault.code]);
  }
  const why = words_only ? { code: words_only.code, detail: words_only.detail } : null;
  return { repository, revision: index.revision, words_only: why, results };
}

interface Meaning {
  vector?: Float32Array;
  /** Why there is no vector; the faults among the reasons are logged and counted. */
  words_only?: { code: string; detail: string; faults?: readonly GraphFault[] };
}

/** The query's embedding, or why the query is answered without one. */
async function questionVector(
  query: string,
  { embedder: made_by, faults }: SearchableRevision,
  { embedder, log }: QueryPorts,
): Promise<Meaning> {
  if (faults[0]) return { words_only: { ...faults[0], faults } };
  if (!made_by) return { words_only: { code: "NO_VECTORS", detail: "The index has no vectors." } };
  try {
    const changed = embedderFault(made_by, await identityOf(embedder));
    if (changed) return { words_only: { ...changed, faults: [changed] } };
    const [vector = new Float32Array()] = await embedder.embed([query]);
    const code = vectorFault(vector, embedder.dimensions);
    if (!code) return { vector };
    const refused = { code, detail: "The embedder gave a vector of the question that cannot be compared." };
    return { words_only: { ...refused, faults: [refused] } };
  } catch (error) {
    const detail = "The embedder failed; only names and words were searched.";
    log.warn("QUERY_WITHOUT_MEANING", detail, { reason: String(error) });
    return { words_only: { code: "EMBEDDER_FAILED", detail } };
  }
}

/** The HTTP error for the caller. The details, such as the server's address, are only in the log. */
export function queryFailure({ code }: Fault): HttpError {
  if (code.startsWith("SNAPSHOT_")) {
    return new HttpError("INDEX_UNREADABLE", "the index of this repository cannot be read; index it again");
  }
  const sentence = "the code graph is not available; ask again in a few seconds";
  return new HttpError("GRAPH_UNAVAILABLE", sentence, undefined, { "retry-after": "5" });
}
