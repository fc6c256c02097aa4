import { BOOST } from "#lib/code/graph/code-words.ts";
import type { GraphFault } from "#lib/code/graph/graph-faults.ts";
import type { Cypher } from "#lib/code/neo4j/cypher.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

export const WORDS_INDEX = "code_chunk_words";
export const VECTOR_INDEX = "code_chunk_vector";
const SIMILARITY = "cosine";
const ONLINE_SECONDS_MAX = 300;

const CREATED_MEANWHILE = new Set(
  ["EquivalentSchemaRule", "Index", "Constraint"].map(
    (rule) => `Neo.ClientError.Schema.${rule}AlreadyExists`,
  ),
);

const UNIQUE: readonly [name: string, label: string, properties: readonly string[]][] = [
  ["code_repository", "CodeRepository", ["tenant", "name"]],
  ["code_revision", "CodeRevision", ["id"]],
  ["code_file", "CodeFile", ["revision_id", "place"]],
  ["code_chunk", "CodeChunk", ["revision_id", "place"]],
  ["code_test", "CodeTest", ["revision_id", "place"]],
];

const SORTED: readonly [name: string, label: string, properties: readonly string[]][] = [
  ["code_revision_of", "CodeRevision", ["tenant", "repository"]],
  ["code_chunk_symbol", "CodeChunk", ["revision_id", "symbol_lower"]],
  ["code_chunk_simple_name", "CodeChunk", ["revision_id", "simple_name_lower"]],
];

/** The node property that holds the words of one field, such as `name_words`. */
export function wordsProperty(field: string): string {
  return `${field}_words`;
}

/** An index key has at most 8 kB. Names that differ only after this are compared by `matchNames` later. */
const KEY_CHARACTERS_MAX = 1000;

/** The form of a name in the index. */
export function nameKey(name: string): string {
  return name.toLowerCase().slice(0, KEY_CHARACTERS_MAX);
}

/**
 * Creates missing constraints and indexes, and waits until they are online. Uses only what the
 * Community Edition has, so no existence constraints and no node keys.
 *
 * @throws TerminalFault `VECTOR_INDEX_DIMENSIONS`, `VECTOR_INDEX_SIMILARITY`: `IF NOT EXISTS` keeps an index of other
 *   dimensions, which would then silently ignore every vector, or of another similarity
 */
async function ensureGraphSchema(cypher: Cypher, dimensions: number): Promise<void> {
  const create = (statement: string) => createMissing(cypher, statement);
  for (const [name, label, properties] of UNIQUE) {
    const keys = properties.map((property) => `n.${property}`).join(", ");
    await create(`CREATE CONSTRAINT ${name} IF NOT EXISTS FOR (n:${label}) REQUIRE (${keys}) IS UNIQUE`);
  }
  for (const [name, label, properties] of SORTED) {
    const keys = properties.map((property) => `n.${property}`).join(", ");
    await create(`CREATE INDEX ${name} IF NOT EXISTS FOR (n:${label}) ON (${keys})`);
  }
  const fields = ["revision_id", ...Object.keys(BOOST).map(wordsProperty)].map((field) => `n.${field}`);
  await create(
    `CREATE FULLTEXT INDEX ${WORDS_INDEX} IF NOT EXISTS FOR (n:CodeChunk) ON EACH [${fields.join(", ")}]
     OPTIONS {indexConfig: {\`fulltext.analyzer\`: 'whitespace'}}`,
  );
  await create(
    `CREATE VECTOR INDEX ${VECTOR_INDEX} IF NOT EXISTS FOR (n:CodeChunk) ON (n.vector)
     OPTIONS {indexConfig: {\`vector.dimensions\`: ${dimensions}, \`vector.similarity_function\`: '${SIMILARITY}'}}`,
  );
  await checkVectorIndex(cypher, dimensions);
  await cypher.read(`CALL db.awaitIndexes(${ONLINE_SECONDS_MAX})`);
}

/** `IF NOT EXISTS` still fails when another process creates the same index at that moment. */
async function createMissing(cypher: Cypher, statement: string): Promise<void> {
  try {
    await cypher.write(statement);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
    if (!CREATED_MEANWHILE.has(String(code))) throw error;
  }
}

async function checkVectorIndex(cypher: Cypher, dimensions: number): Promise<void> {
  const fault = await vectorIndexFault(cypher, dimensions);
  if (!fault) return;
  const code = fault.code === "INDEX_SIMILARITY" ? "VECTOR_INDEX_SIMILARITY" : "VECTOR_INDEX_DIMENSIONS";
  throw new TerminalFault(code, fault.detail);
}

/** The fault of the existing vector index for vectors of `dimensions`; undefined when it fits. */
export async function vectorIndexFault(cypher: Cypher, dimensions: number): Promise<GraphFault | undefined> {
  const [row] = await cypher.read(
    `SHOW VECTOR INDEXES YIELD name, options WHERE name = '${VECTOR_INDEX}'
     RETURN options.indexConfig['vector.dimensions'] AS dimensions,
            toLower(options.indexConfig['vector.similarity_function']) AS similarity`,
  );
  const repair = `DROP INDEX ${VECTOR_INDEX}, then replay what failed and index every repository again.`;
  const found = `Neo4j's index ${VECTOR_INDEX} is`;
  if (row?.dimensions !== dimensions) {
    const detail = `${found} for vectors of ${row?.dimensions} dimensions and the embedder gives ${dimensions}: ${repair}`;
    return { code: "INDEX_DIMENSION", detail };
  }
  if (row.similarity === SIMILARITY) return undefined;
  const detail = `${found} for the similarity ${row.similarity} and must be for ${SIMILARITY}: ${repair}`;
  return { code: "INDEX_SIMILARITY", detail };
}

/** Runs `ensureGraphSchema` once per number of dimensions; after a failure the next call tries again. */
export function preparedOnce(cypher: Cypher): (dimensions: number) => Promise<void> {
  const done = new Map<number, Promise<void>>();
  return (dimensions) => {
    const known = done.get(dimensions);
    if (known) return known;
    const preparing = ensureGraphSchema(cypher, dimensions);
    done.set(dimensions, preparing);
    preparing.catch(() => done.delete(dimensions));
    return preparing;
  };
}
