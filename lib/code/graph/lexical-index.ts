import MiniSearch from "minisearch";
import { codeWords, stem } from "#lib/code/graph/code-words.ts";
import type { Snapshot, SnapshotChunk } from "#lib/code/graph/snapshot.ts";

/** Words of a question that say nothing about code. */
const SILENT = new Set(
  "a an and are as at be by can do does for from how i in into is it its me of on or that the this to what when where which who why will with".split(
    " ",
  ),
);

/** How much a word counts by where it stands. */
export const BOOST = { name: 4, doc: 2, signature: 1.5, path: 0.3, body: 1 };
/** Chosen by bench/retrieval.ts: long functions are held back a little more. */
const BM25 = { k: 2, b: 0.9, d: 0.5 };
/** Documents between two turns of the event loop: some milliseconds. */
const INDEXED_AT_ONCE = 20;
const QUERY_WORDS_MAX = 64;

interface LexicalHit {
  chunk: number;
  score: number;
  /** Words of the query found in the chunk. */
  words: string[];
}

export interface LexicalIndex {
  /** Best first. */
  search(query: string, hits_max: number): LexicalHit[];
}

interface Document extends Record<keyof typeof BOOST, string> {
  id: number;
}

/** BM25 over every chunk of a snapshot, names above comments above code. Yields while it builds. */
export async function lexicalIndex(snapshot: Snapshot): Promise<LexicalIndex> {
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

/** The different words of a query that say something about code; all of them when none does. */
export function wordsAsked(query: string): string[] {
  const all = codeWords(query).slice(0, QUERY_WORDS_MAX);
  const telling = all.filter((word) => !SILENT.has(word));
  return [...new Set(telling.length > 0 ? telling : all)];
}

/** A chunk's words by the fields that are weighed apart. */
export function wordFields(chunk: SnapshotChunk, path: string): Record<keyof typeof BOOST, string> {
  return {
    name: chunk.symbol ?? chunk.signature,
    doc: chunk.doc,
    signature: chunk.symbol === null ? "" : chunk.signature,
    path,
    body: chunk.excerpt,
  };
}
