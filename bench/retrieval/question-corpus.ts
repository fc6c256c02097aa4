import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { embeddingText } from "#lib/code/graph/chunk-file.ts";
import { simpleName } from "#lib/code/graph/code-words.ts";
import { embedChunks } from "#lib/code/graph/embed-chunks.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import type { Snapshot, SnapshotChunk } from "#lib/code/graph/snapshot.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import { copyPackage, type MeasuredPackage } from "./packages.ts";

/** Sentences with fewer words ask for nothing in particular. */
const WORDS_MIN = 3;

/** A question and the place of the function it is about. */
interface Question {
  text: string;
  chunk: number;
}

export interface AskedQuestion extends Question {
  vector: Float32Array;
}

/** One package's functions, as a repository that is searched. */
export interface QuestionCorpus {
  snapshot: Snapshot;
  questions: AskedQuestion[];
}

/** The functions of one package without their comments, and what the comments ask for. */
export interface Functions {
  package_name: string;
  files: Snapshot["files"];
  chunks: SnapshotChunk[];
  questions: Question[];
}

/** Reads the functions of a package, and the first sentence of each function's comment as a question. */
export async function readFunctions(source: MeasuredPackage, limits: GraphConfig): Promise<Functions> {
  return withTemporaryDirectory("retrieval", async (directory) => {
    await copyPackage(source, directory);
    const { files, chunks } = await readTree(directory, limits);
    const functions = chunks.filter(isFunction);
    const questions = functions
      .map(({ doc }, chunk) => ({ text: firstSentence(doc), chunk }))
      .filter(({ text }) => text.split(" ").length >= WORDS_MIN);
    const bare = functions.map((chunk) => ({ ...chunk, doc: "" }));
    return { package_name: source.name, files, chunks: bare, questions };
  });
}

/** The functions of several packages in one repository. */
export function together(packages: readonly Functions[]): Functions {
  const all: Functions = { package_name: "all in one", files: [], chunks: [], questions: [] };
  for (const { files, chunks, questions } of packages) {
    const first_file = all.files.length;
    const first_chunk = all.chunks.length;
    all.files.push(...files);
    all.chunks.push(...chunks.map((chunk) => ({ ...chunk, file: first_file + chunk.file })));
    all.questions.push(...questions.map(({ text, chunk }) => ({ text, chunk: first_chunk + chunk })));
  }
  return all;
}

/** A function, a method, or what a function makes: `const add = curry(function (a, b) { … })`. */
function isFunction({ symbol, kind, signature }: SnapshotChunk): boolean {
  if (symbol === null) return false;
  return kind === "function" || kind === "method" || (kind === "constant" && /=.*\(/.test(signature));
}

/** What a JSDoc comment says before its first tag, else in `@description`, else in `@summary`; its first sentence. */
export function firstSentence(doc: string): string {
  const [before = "", ...tags] = ` ${doc.replaceAll("\n", " ")}`.split(/\s@(?=[a-z])/);
  const tag = (name: string) => tags.find((text) => text.startsWith(`${name} `))?.slice(name.length);
  const prose = before.trim() || (tag("description") ?? tag("summary") ?? "");
  const plain = prose.replace(/\{@link\s+([^}\s|]+)[^}]*\}/g, "$1").replace(/\s+/g, " ");
  return (
    plain.split(/(?<=[.!?])(?<!\b(?:i\.e|e\.g|etc|vs)\.)\s/).find((sentence) => sentence.trim() !== "") ?? ""
  ).trim();
}

const IDENTIFIER = /[\p{ID_Start}_$#][\p{ID_Continue}$]*/gu;

function withoutMarks(name: string): string {
  return name.replace(/^[_$#]+/, "").toLowerCase();
}

/**
 * The same functions with their own names taken out of name, path, head and body. Names of other functions stay where
 * they are called.
 */
export function withoutNames({ files, chunks, ...rest }: Functions): Functions {
  const hidden_files: Snapshot["files"] = [];
  const hidden = chunks.map((chunk, place) => {
    const names = new Set([...(chunk.symbol ?? "").split("."), simpleName(chunk.symbol ?? "")]);
    const bare = new Set([...names].map(withoutMarks));
    const hide = (text: string) =>
      text.replace(IDENTIFIER, (identifier) => (bare.has(withoutMarks(identifier)) ? "f" : identifier));
    const language = files[chunk.file]?.language ?? "";
    const file = hidden_files.push({ path: `${place}.js`, language, sha256: sha256(String(place)) }) - 1;
    return { ...chunk, file, symbol: "f", signature: hide(chunk.signature), excerpt: hide(chunk.excerpt) };
  });
  return { ...rest, files: hidden_files, chunks: hidden };
}

/** Embeds functions and questions. */
export async function embedCorpus(
  { files, chunks, questions }: Functions,
  embedder: Embedder,
  limits: GraphConfig,
): Promise<QuestionCorpus> {
  const hashed = chunks.map((chunk) => {
    return { ...chunk, content_hash: sha256(embeddingText(chunk, limits.chunk_characters_max)) };
  });
  const embedded = await embedChunks(hashed, { embedder, limits, runtime: systemRuntime });
  const rows = await embedder.embed(questions.map(({ text }) => text));
  const snapshot: Snapshot = {
    schema_version: 1,
    tenant: "bench",
    repository: "bench",
    revision: sha256(""),
    embedder: embedder.name,
    dimensions: embedder.dimensions,
    files,
    chunks: embedded.chunks,
    imports: [],
    calls: [],
    tests: [],
    vectors: embedded.vectors,
  };
  const asked = questions.map((question, row) => ({ ...question, vector: rows[row] ?? new Float32Array() }));
  return { snapshot, questions: asked };
}
