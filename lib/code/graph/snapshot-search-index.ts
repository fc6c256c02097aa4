import MiniSearch from "minisearch";
import {
  BOOST,
  codeWords,
  isInnerName,
  matchNames,
  stem,
  wordFields,
  wordsAsked,
  wordWeight,
} from "#lib/code/graph/code-words.ts";
import { type EmbedderIdentity, type GraphFault, snapshotFaults } from "#lib/code/graph/graph-faults.ts";
import {
  type ChunkFacts,
  EXCERPT_CHARACTERS_MAX,
  type SearchableRevision,
  TESTS_NAMED_MAX,
  type VectorHit,
} from "#lib/code/graph/search.ts";
import { type Snapshot, vectorAt } from "#lib/code/graph/snapshot.ts";

/** Word index of each snapshot, kept as long as the snapshot is cached. */
const indexes = new WeakMap<Snapshot, Promise<LexicalIndex>>();

function wordsOf(snapshot: Snapshot): Promise<LexicalIndex> {
  const index = indexes.get(snapshot) ?? lexicalIndex(snapshot);
  indexes.set(snapshot, index);
  return index;
}

/** Faults of each snapshot, kept as long as the snapshot is cached. */
const faults = new WeakMap<Snapshot, readonly GraphFault[]>();

function faultsOf(snapshot: Snapshot): readonly GraphFault[] {
  const found = faults.get(snapshot) ?? snapshotFaults(snapshot);
  faults.set(snapshot, found);
  return found;
}

function embedderOf(snapshot: Snapshot): EmbedderIdentity | undefined {
  const { embedder: name, dimensions, tokenizer_sha256, vectors } = snapshot;
  return vectors.length > 0 ? { name, dimensions, tokenizer_sha256 } : undefined;
}

/** The searches over a snapshot in memory: BM25, exact nearest neighbours, names. */
export function snapshotSearchIndex(snapshot: Snapshot): SearchableRevision {
  return {
    revision: snapshot.revision,
    embedder: embedderOf(snapshot),
    faults: faultsOf(snapshot),
    async byWords(query, hits_max) {
      const hits = (await wordsOf(snapshot)).search(query, hits_max);
      return hits.map((hit) => {
        const { vector = null, symbol = null } = snapshot.chunks[hit.chunk] ?? {};
        return { ...hit, has_vector: vector !== null, inner: symbol !== null && isInnerName(symbol) };
      });
    },
    byMeaning: async (vector, hits_max) => nearest(snapshot, vector, hits_max),
    byName: async (query) => matchNames(snapshot.chunks, query),
    async describe(chunks, best) {
      const callers = callersOf(snapshot, chunks, best);
      const failing = failingByFile(snapshot);
      return new Map(chunks.map((chunk) => [chunk, factsOf(snapshot, chunk, { callers, failing })]));
    },
  };
}

interface Callers {
  /** Files that call a chunk, by chunk. */
  files: ReadonlyMap<number, ReadonlySet<number>>;
  /** Chunks that call the best one. */
  of_best: ReadonlySet<number>;
}

/** Who calls the chunks, and which of them call the best one, in one pass over all calls. */
function callersOf({ calls }: Snapshot, chunks: readonly number[], best: number): Callers {
  const files = new Map(chunks.map((chunk) => [chunk, new Set<number>()]));
  const of_best = new Set<number>();
  for (const [file, from, to] of calls) {
    files.get(to)?.add(file);
    if (to === best && from !== null) of_best.add(from);
  }
  return { files, of_best };
}

interface FailingTest {
  /** Place among all tests, the order in which they are named. */
  place: number;
  name: string;
}

/** The first failing tests of each file, in one pass over all tests. */
function failingByFile({ tests }: Snapshot): ReadonlyMap<number, FailingTest[]> {
  const failing = new Map<number, FailingTest[]>();
  for (const [place, { file, name, status }] of tests.entries()) {
    if (status !== "failed") continue;
    const known = failing.get(file) ?? [];
    if (known.length < TESTS_NAMED_MAX) failing.set(file, [...known, { place, name }]);
  }
  return failing;
}

function factsOf(
  snapshot: Snapshot,
  place: number,
  { callers, failing }: { callers: Callers; failing: ReadonlyMap<number, FailingTest[]> },
): ChunkFacts {
  const chunk = snapshot.chunks[place];
  if (!chunk) throw new RangeError(`There is no chunk ${place}.`);
  const { symbol, kind, start_line, end_line } = chunk;
  const pathOf = (file: number) => snapshot.files[file]?.path ?? "";
  const failing_tests = [...(callers.files.get(place) ?? [])]
    .flatMap((file) => (failing.get(file) ?? []).map((test) => ({ ...test, file })))
    .sort((a, b) => a.place - b.place)
    .slice(0, TESTS_NAMED_MAX)
    .map(({ name, file }) => ({ name, path: pathOf(file) }));
  return {
    ...{ symbol, kind, start_line, end_line },
    excerpt: chunk.excerpt.slice(0, EXCERPT_CHARACTERS_MAX),
    path: pathOf(chunk.file),
    calls_best: callers.of_best.has(place),
    failing_tests,
  };
}

/** Chosen by `npm run bench:retrieval`. */
const BM25 = { k: 1.2, b: 0.7, d: 0.2 };
/** Documents indexed before the event loop gets a turn: a few milliseconds. */
const INDEXED_AT_ONCE = 20;
interface LexicalHit {
  chunk: number;
  score: number;
  /** Words of the query found in the chunk. */
  words: string[];
}

interface LexicalIndex {
  /** Best first. */
  search(query: string, hits_max: number): LexicalHit[];
}

interface Document extends Record<keyof typeof BOOST, string> {
  id: number;
}

/** Builds a BM25 index over all chunks of a snapshot, without blocking the event loop. */
async function lexicalIndex(snapshot: Snapshot): Promise<LexicalIndex> {
  const index = new MiniSearch<Document>({
    fields: Object.keys(BOOST),
    storeFields: [],
    tokenize: codeWords,
    processTerm: stem,
  });
  const documents = snapshot.chunks.map(
    (chunk, id): Document => ({ id, ...wordFields(chunk, snapshot.files[chunk.file]?.path ?? "") }),
  );
  await index.addAllAsync(documents, { chunkSize: INDEXED_AT_ONCE });
  return {
    search(query, hits_max) {
      const words = wordsAsked(query);
      const options = {
        boost: BOOST,
        bm25: BM25,
        boostTerm: wordWeight,
        tokenize: (text: string) => text.split(" "),
        processTerm: stem,
      };
      return index
        .search(words.join(" "), options)
        .slice(0, hits_max)
        .map(({ id, score, queryTerms }) => ({
          chunk: id as number,
          score,
          words: words.filter((word) => queryTerms.includes(stem(word))),
        }));
    },
  };
}

/** Exact nearest chunks by meaning, best first. All vectors are of unit length. */
function nearest(snapshot: Snapshot, query: Float32Array, hits_max: number): VectorHit[] {
  const hits: VectorHit[] = [];
  for (const [chunk, { vector, symbol }] of snapshot.chunks.entries()) {
    if (vector === null) continue;
    const row = vectorAt(snapshot, vector);
    let cosine = 0;
    for (let i = 0; i < row.length; i++) cosine += (row[i] ?? 0) * (query[i] ?? 0);
    hits.push({ chunk, cosine, inner: symbol !== null && isInnerName(symbol) });
  }
  return hits.sort((a, b) => b.cosine - a.cosine).slice(0, hits_max);
}
