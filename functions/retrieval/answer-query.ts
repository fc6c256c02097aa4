import type { Embedder } from "#lib/code/embedding/embedder.ts";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { search } from "#lib/code/graph/search.ts";
import type { Fault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";
import type { QueryRequest } from "#schemas/messages/submission.ts";

export interface QueryPorts {
  graph: Pick<GraphStore, "open">;
  embedder: Embedder;
  settings: Pick<GraphConfig, "fusion_k" | "candidates">;
  log: Log;
}

/** Searches the current snapshot of the tenant's repository; an unknown name gives no results. */
export async function answerQuery(
  tenant: string,
  { query, repository, limit }: QueryRequest,
  ports: QueryPorts,
): Promise<QueryAnswer> {
  const index = await ports.graph.open(tenant, repository);
  if (!index) return { repository, revision: null, results: [] };
  const vector = index.embedder === ports.embedder.name ? await questionVector(query, ports) : undefined;
  const asked = { text: query, limit, ...(vector ? { vector } : {}) };
  return { repository, revision: index.revision, results: await search(index, asked, ports.settings) };
}

/** The query's embedding; undefined when the embedder fails, so that names and words still give an answer. */
async function questionVector(
  query: string,
  { embedder, log }: QueryPorts,
): Promise<Float32Array | undefined> {
  try {
    const [vector] = await embedder.embed([query]);
    return vector;
  } catch (error) {
    log.warn("QUERY_WITHOUT_MEANING", "the embedder failed; only names and words were searched", {
      reason: String(error),
    });
    return undefined;
  }
}

/** The HTTP error for the caller. The details, such as the server's address, are only in the log. */
export function queryFailure({ code }: Fault): HttpError {
  if (code.startsWith("SNAPSHOT_")) {
    return new HttpError(
      500,
      "INDEX_UNREADABLE",
      "the index of this repository cannot be read; index it again",
    );
  }
  const sentence = "the code graph is not available; ask again in a few seconds";
  return new HttpError(503, "GRAPH_UNAVAILABLE", sentence, undefined, { "retry-after": "5" });
}
