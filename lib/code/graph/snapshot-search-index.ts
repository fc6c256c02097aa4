import { type LexicalIndex, lexicalIndex } from "#lib/code/graph/lexical-index.ts";
import { matchNames } from "#lib/code/graph/match-names.ts";
import { nearest } from "#lib/code/graph/nearest.ts";
import {
  type ChunkFacts,
  EXCERPT_CHARACTERS_MAX,
  type SearchableRevision,
  TESTS_NAMED_MAX,
} from "#lib/code/graph/search-index.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";

/** Word indexes live as long as their snapshot is cached. */
const indexes = new WeakMap<Snapshot, Promise<LexicalIndex>>();

function wordsOf(snapshot: Snapshot): Promise<LexicalIndex> {
  const index = indexes.get(snapshot) ?? lexicalIndex(snapshot);
  indexes.set(snapshot, index);
  return index;
}

/** The searches over a snapshot in memory: BM25, exact nearest neighbours, names. */
export function snapshotSearchIndex(snapshot: Snapshot): SearchableRevision {
  return {
    revision: snapshot.revision,
    embedder: snapshot.vectors.length > 0 ? snapshot.embedder : undefined,
    async byWords(query, hits_max) {
      const hits = (await wordsOf(snapshot)).search(query, hits_max);
      return hits.map(({ chunk, words }) => {
        return { chunk, words, has_vector: snapshot.chunks[chunk]?.vector !== null };
      });
    },
    byMeaning: async (vector, hits_max) => nearest(snapshot, vector, hits_max),
    byName: async (query) => matchNames(snapshot.chunks, query),
    async describe(chunks, best) {
      return new Map(chunks.map((chunk) => [chunk, factsOf(snapshot, chunk, best)]));
    },
  };
}

function factsOf(snapshot: Snapshot, place: number, best: number): ChunkFacts {
  const chunk = snapshot.chunks[place];
  if (!chunk) throw new RangeError(`There is no chunk ${place}.`);
  const { symbol, kind, start_line, end_line } = chunk;
  return {
    ...{ symbol, kind, start_line, end_line },
    excerpt: chunk.excerpt.slice(0, EXCERPT_CHARACTERS_MAX),
    path: snapshot.files[chunk.file]?.path ?? "",
    calls_best: snapshot.calls.some(([, from, to]) => from === place && to === best),
    failing_tests: failingTests(snapshot, place),
  };
}

function failingTests(snapshot: Snapshot, chunk: number): ChunkFacts["failing_tests"] {
  const files = new Set<number>();
  for (const [file, , to] of snapshot.calls) if (to === chunk) files.add(file);
  return snapshot.tests
    .filter(({ file, status }) => status === "failed" && files.has(file))
    .slice(0, TESTS_NAMED_MAX)
    .map(({ name, file }) => ({ name, path: snapshot.files[file]?.path ?? "" }));
}
