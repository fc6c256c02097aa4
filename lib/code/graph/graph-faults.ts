import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { indexFault, type Snapshot, vectorAt } from "#lib/code/graph/snapshot.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import type { CountedMetric } from "#lib/platform/metrics/catalogue.ts";

/** What a check of vectors and their index can find, and the metric that counts it. */
export const GRAPH_FAULT_METRICS = {
  VECTOR_DIMENSION: "graph_faults_vector_dimension",
  VECTOR_NOT_FINITE: "graph_faults_vector_not_finite",
  VECTOR_ZERO: "graph_faults_vector_zero",
  EMBEDDER_CHANGED: "graph_faults_embedder_changed",
  INDEX_DIMENSION: "graph_faults_index_dimension",
  INDEX_SIMILARITY: "graph_faults_index_similarity",
} as const satisfies Record<string, CountedMetric>;
type GraphFaultCode = keyof typeof GRAPH_FAULT_METRICS;
export type VectorFaultCode = Extract<GraphFaultCode, `VECTOR_${string}`>;

/** A fault of stored vectors. Where there is one, a query is answered from names and words only. */
export interface GraphFault {
  code: GraphFaultCode;
  /** A sentence with what was found and what repairs it. */
  detail: string;
}

/** What is wrong with a vector; undefined when it can be compared with others. */
export function vectorFault(vector: ArrayLike<number>, dimensions: number): VectorFaultCode | undefined {
  if (vector.length !== dimensions) return "VECTOR_DIMENSION";
  let zero = true;
  for (let place = 0; place < vector.length; place++) {
    const number = vector[place];
    if (!Number.isFinite(number)) return "VECTOR_NOT_FINITE";
    if (number !== 0) zero = false;
  }
  return zero ? "VECTOR_ZERO" : undefined;
}

const WHAT_IS_WRONG: Readonly<Record<VectorFaultCode, string>> = {
  VECTOR_DIMENSION: "another number of dimensions than the index",
  VECTOR_NOT_FINITE: "a number that is not finite",
  VECTOR_ZERO: "no direction: all their numbers are 0",
};

/** The fault that `count` stored vectors of a repository have. */
export function storedVectors(code: VectorFaultCode, count: number): GraphFault {
  const detail = `Stored vectors have ${WHAT_IS_WRONG[code]} (found ${count}); index the repository again to replace them.`;
  return { code, detail };
}

/** What is wrong with the vectors of a snapshot, one fault of each kind. */
export function snapshotFaults(snapshot: Snapshot): GraphFault[] {
  const rows = new Set(snapshot.chunks.flatMap(({ vector }) => (vector === null ? [] : [vector])));
  const counts = new Map<VectorFaultCode, number>();
  for (const row of rows) {
    const code = vectorFault(vectorAt(snapshot, row), snapshot.dimensions);
    if (code) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  if (counts.size === 0 && snapshot.vectors.length % snapshot.dimensions !== 0)
    counts.set("VECTOR_DIMENSION", 1);
  return [...counts].map(([code, count]) => storedVectors(code, count));
}

/** The embedder that made vectors. `tokenizer_sha256` is unknown of what was indexed before it was kept. */
export interface EmbedderIdentity {
  name: string;
  dimensions: number;
  tokenizer_sha256: string | undefined;
}

export async function identityOf(embedder: Embedder): Promise<EmbedderIdentity> {
  const { name, dimensions } = embedder;
  return { name, dimensions, tokenizer_sha256: await embedder.tokenizerSha256() };
}

/** The fault of vectors that the running embedder did not make; undefined when they can be compared with its own. */
export function embedderFault(stored: EmbedderIdentity, running: EmbedderIdentity): GraphFault | undefined {
  const differs = (["name", "dimensions", "tokenizer_sha256"] as const).find(
    (field) => stored[field] !== running[field],
  );
  if (!differs) return undefined;
  const words = { name: "model", dimensions: "number of dimensions", tokenizer_sha256: "tokenizer" };
  const detail = `The stored vectors were made with another ${words[differs]} (${stored[differs] ?? "unknown"}, now ${running[differs]}); index the repository again.`;
  return { code: "EMBEDDER_CHANGED", detail };
}

/** Refuses a snapshot that no store may keep. Throws TerminalFault `SNAPSHOT_NOT_CONFORMING`. */
export function checkConforming(snapshot: Snapshot): void {
  const [fault] = snapshotFaults(snapshot);
  const found = fault ? `${fault.code}: ${fault.detail}` : indexFault(snapshot);
  if (found === undefined) return;
  throw new TerminalFault(
    "SNAPSHOT_NOT_CONFORMING",
    `The new index of ${snapshot.repository} was not stored, and the one before it stays: ${found}`,
  );
}
