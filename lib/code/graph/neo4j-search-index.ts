import {
  BOOST,
  isInnerName,
  matchNames,
  namesAsked,
  stem,
  wordsAsked,
  wordWeight,
} from "#lib/code/graph/code-words.ts";
import type { WrittenRevision } from "#lib/code/graph/neo4j-revisions.ts";
import { nameKey, VECTOR_INDEX, WORDS_INDEX, wordsProperty } from "#lib/code/graph/neo4j-schema.ts";
import {
  type ChunkFacts,
  EXCERPT_CHARACTERS_MAX,
  type SearchIndex,
  TESTS_NAMED_MAX,
  type VectorHit,
  type WordHit,
} from "#lib/code/graph/search.ts";
import { type Cypher, int, type Row } from "#lib/code/neo4j/cypher.ts";

const NAMED_MAX = 1000;
/** One vector index holds all tenants' chunks, so it is asked for this many times the wanted hits. */
const NEAREST_FACTOR = 4;

const OWN = "node.tenant = $tenant AND node.revision_id = $revision_id";
const COSINE = "2 * vector.similarity.cosine(node.vector, $vector) - 1";

/** The searches over one revision in Neo4j. Every statement names tenant and revision. */
export function neo4jSearchIndex(cypher: Cypher, tenant: string, written: WrittenRevision): SearchIndex {
  const own = { tenant, revision_id: written.id };
  return {
    byWords: (query, hits_max) => byWords(cypher, own, query, hits_max),
    byMeaning: (vector, hits_max) => byMeaning(cypher, own, [...vector], hits_max, written.embedded),
    byName: (query) => byName(cypher, own, query),
    describe: (chunks, best) => describe(cypher, own, chunks, best),
  };
}

type Own = { tenant: string; revision_id: string };

/** Searches with Lucene's BM25. The words are only letters and digits, so they hold no Lucene syntax. */
async function byWords(cypher: Cypher, own: Own, query: string, hits_max: number): Promise<WordHit[]> {
  const words = wordsAsked(query);
  if (words.length === 0) return [];
  const weights = new Map(words.map((word) => [stem(word), wordWeight(word)]));
  const stems = [...weights.keys()];
  const clauses = Object.entries(BOOST).flatMap(([field, boost]) =>
    stems.map((one) => `${wordsProperty(field)}:"${one}"^${boost * (weights.get(one) ?? 1)}`),
  );
  const kept = Object.keys(BOOST).map((field) => `' ' + node.${wordsProperty(field)} + ' '`);
  const rows = await cypher.read(
    `CALL db.index.fulltext.queryNodes('${WORDS_INDEX}', $lucene, {limit: $hits_max}) YIELD node, score
     WHERE ${OWN}
     WITH node, score, ${kept.join(" + ")} AS kept
     RETURN node.place AS chunk, score, node.symbol AS symbol, node.vector IS NOT NULL AS has_vector,
            [stem IN $stems WHERE kept CONTAINS ' ' + stem + ' '] AS found
     ORDER BY score DESC, chunk`,
    {
      ...own,
      stems,
      lucene: `+revision_id:"${own.revision_id}"^0 +(${clauses.join(" ")})`,
      hits_max: int(hits_max),
    },
  );
  return rows.map(({ chunk, score, symbol, has_vector, found }) => ({
    chunk: chunk as number,
    score: score as number,
    inner: isInner(symbol),
    has_vector: has_vector as boolean,
    words: words.filter((word) => (found as string[]).includes(stem(word))),
  }));
}

/**
 * The vector index has no tenant filter, so the nearest chunks may belong to others. When too few hits
 * remain, the revision's own vectors are compared one by one.
 */
async function byMeaning(
  cypher: Cypher,
  own: Own,
  vector: number[],
  hits_max: number,
  embedded: number,
): Promise<VectorHit[]> {
  const found = `WHERE ${OWN}
     RETURN node.place AS chunk, node.symbol AS symbol, ${COSINE} AS cosine ORDER BY cosine DESC, chunk LIMIT $hits_max`;
  const parameters = { ...own, vector, hits_max: int(hits_max), nearest: int(hits_max * NEAREST_FACTOR) };
  const near = await cypher.read(
    `CALL db.index.vector.queryNodes('${VECTOR_INDEX}', $nearest, $vector) YIELD node ${found}`,
    parameters,
  );
  if (near.length >= Math.min(hits_max, embedded)) return near.map(vectorHit);
  const exact = await cypher.read(
    `MATCH (node:CodeChunk {revision_id: $revision_id})
     WITH node WHERE node.vector IS NOT NULL
     WITH node ${found}`,
    parameters,
  );
  return exact.map(vectorHit);
}

function vectorHit({ chunk, symbol, cosine }: Row): VectorHit {
  return { chunk: chunk as number, cosine: cosine as number, inner: isInner(symbol) };
}

function isInner(symbol: unknown): boolean {
  return typeof symbol === "string" && isInnerName(symbol);
}

async function byName(cypher: Cypher, own: Own, query: string): Promise<Map<number, string>> {
  const asked = [...namesAsked(query)].map(nameKey);
  if (asked.length === 0) return new Map();
  const rows = await cypher.read(
    `CALL () {
       MATCH (node:CodeChunk) WHERE ${OWN} AND node.symbol_lower IN $asked RETURN node
       UNION
       MATCH (node:CodeChunk) WHERE ${OWN} AND node.simple_name_lower IN $asked RETURN node
     }
     RETURN node.place AS place, node.symbol AS symbol, node.exported AS exported
     ORDER BY exported DESC, place LIMIT $named_max`,
    { ...own, asked, named_max: int(NAMED_MAX) },
  );
  const named = rows as { place: number; symbol: string; exported: boolean }[];
  return matchNames(
    named.sort((a, b) => a.place - b.place),
    query,
  );
}

async function describe(
  cypher: Cypher,
  own: Own,
  chunks: readonly number[],
  best: number,
): Promise<Map<number, ChunkFacts>> {
  const rows = await cypher.read(
    `UNWIND $chunks AS place
     MATCH (node:CodeChunk {revision_id: $revision_id, place: place}) WHERE ${OWN}
     MATCH (file:CodeFile)-[:DEFINES]->(node)
     RETURN place, node {.symbol, .kind, .start_line, .end_line, path: file.path,
       excerpt: left(node.excerpt, $excerpt_characters_max),
       calls_best: EXISTS { (node)-[:CALLS]->(:CodeChunk {revision_id: $revision_id, place: $best}) },
       failing_tests: COLLECT {
         MATCH (node)<-[call:CALLS]-()
         WITH DISTINCT call.file AS caller
         MATCH (in:CodeFile {revision_id: $revision_id, place: caller})<-[:IN]-(test:CodeTest {status: 'failed'})
         RETURN {name: test.name, path: in.path} ORDER BY test.place LIMIT $tests_max
       }
     } AS facts`,
    {
      ...own,
      chunks: chunks.map((place) => int(place)),
      best: int(best),
      excerpt_characters_max: int(EXCERPT_CHARACTERS_MAX),
      tests_max: int(TESTS_NAMED_MAX),
    },
  );
  return new Map(rows.map(({ place, facts }) => [place as number, facts as ChunkFacts]));
}
