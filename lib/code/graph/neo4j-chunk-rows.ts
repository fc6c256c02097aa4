import { codeWords, stem } from "#lib/code/graph/code-words.ts";
import { wordFields } from "#lib/code/graph/lexical-index.ts";
import { simpleName } from "#lib/code/graph/match-names.ts";
import { wordsProperty } from "#lib/code/graph/neo4j-schema.ts";
import { type Snapshot, vectorAt } from "#lib/code/graph/snapshot.ts";
import { int, type Row } from "#lib/code/neo4j/cypher.ts";

/** An index key has 8 kB at most; names that only differ beyond this are told apart after. */
const KEY_CHARACTERS_MAX = 1000;

/** A name as it is looked up. */
export function nameKey(name: string): string {
  return name.toLowerCase().slice(0, KEY_CHARACTERS_MAX);
}

/** Words as the full-text index splits them: at spaces, for they are code words already. */
function wordsKept(text: string): string {
  return codeWords(text).map(stem).join(" ");
}

/** The chunks from place `from` on, each as the properties of its node. */
export function chunkRows(snapshot: Snapshot, from: number, to: number): Row[] {
  return snapshot.chunks.slice(from, to).map((chunk, index) => {
    const { symbol, kind, exported, signature, doc, excerpt, content_hash } = chunk;
    const path = snapshot.files[chunk.file]?.path ?? "";
    const fields = Object.entries(wordFields(chunk, path));
    const properties: Row = {
      ...{ symbol, kind, exported, signature, doc, excerpt, content_hash },
      start_line: int(chunk.start_line),
      end_line: int(chunk.end_line),
      symbol_lower: symbol === null ? null : nameKey(symbol),
      simple_name_lower: symbol === null ? null : nameKey(simpleName(symbol)),
      vector_row: chunk.vector === null ? null : int(chunk.vector),
      vector: chunk.vector === null ? null : [...vectorAt(snapshot, chunk.vector)],
      ...Object.fromEntries(fields.map(([field, text]) => [wordsProperty(field), wordsKept(text)])),
    };
    return { place: int(from + index), file: int(chunk.file), properties };
  });
}
