import type { VectorHit } from "#lib/code/graph/search-index.ts";
import { type Snapshot, vectorAt } from "#lib/code/graph/snapshot.ts";

/** Exact nearest chunks by meaning, best first. All vectors are of unit length. */
export function nearest(snapshot: Snapshot, query: Float32Array, hits_max: number): VectorHit[] {
  const hits: VectorHit[] = [];
  for (const [chunk, { vector }] of snapshot.chunks.entries()) {
    if (vector === null) continue;
    const row = vectorAt(snapshot, vector);
    let cosine = 0;
    for (let i = 0; i < row.length; i++) cosine += (row[i] ?? 0) * (query[i] ?? 0);
    hits.push({ chunk, cosine });
  }
  return hits.sort((a, b) => b.cosine - a.cosine).slice(0, hits_max);
}
