import type { CodeSymbol } from "#lib/code/graph/read-symbols.ts";
import type { Chunk } from "#lib/code/graph/snapshot.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

const WINDOW_LINES = 40;
/** Code outside symbols with fewer letters and digits than this gets no chunk. */
const REST_CHARACTERS_MIN = 60;

export interface ChunkLimits {
  chunk_characters_max: number;
  excerpt_characters_max: number;
}

type Draft = Omit<Chunk, "content_hash" | "excerpt">;

/** Cuts a file into one chunk per symbol, and the rest into windows of lines; Markdown into sections. */
export function chunkFile(
  file: { language: string; text: string; symbols: readonly CodeSymbol[] },
  limits: ChunkLimits,
): Chunk[] {
  const lines = file.text.split(/\r?\n/);
  const drafts =
    file.language === "markdown"
      ? sections(lines)
      : [...file.symbols.map(symbolDraft), ...rest(lines, file.symbols)];
  return drafts.map((draft) => {
    const chunk = { ...draft, excerpt: excerptOf(lines, draft, limits.excerpt_characters_max) };
    return { ...chunk, content_hash: sha256(embeddingText(chunk, limits.chunk_characters_max)) };
  });
}

/** Joins only as many lines as needed: symbols may nest, and one line may hold thousands of them. */
function excerptOf(
  lines: readonly string[],
  { start_line, end_line }: Pick<Draft, "start_line" | "end_line">,
  characters_max: number,
): string {
  const taken: string[] = [];
  let characters = -1; // no line end before the first
  for (let line = start_line; line <= end_line && characters < characters_max; line++) {
    const text = lines[line - 1] ?? "";
    taken.push(text.slice(0, characters_max));
    characters += 1 + text.length;
  }
  return taken.join("\n").slice(0, characters_max);
}

function symbolDraft(symbol: CodeSymbol): Draft {
  const { name, kind, exported, start_line, end_line, signature, doc } = symbol;
  return { symbol: name, kind, exported, start_line, end_line, signature, doc: doc.slice(0, 1000) };
}

/** Cuts the lines outside all symbols into windows. */
function rest(lines: readonly string[], symbols: readonly CodeSymbol[]): Draft[] {
  const covered = new Uint8Array(lines.length + 2);
  for (const symbol of symbols) covered.fill(1, symbol.doc_line, symbol.end_line + 1);
  const drafts: Draft[] = [];
  let start = 0;
  for (let line = 1; line <= lines.length + 1; line++) {
    const open = line <= lines.length && covered[line] === 0 && !isImport(lines[line - 1] ?? "");
    if (open && start === 0) start = line;
    if (start > 0 && (!open || line - start >= WINDOW_LINES)) {
      drafts.push(...windowDraft(lines, start, line - 1));
      start = open ? line : 0;
    }
  }
  return drafts;
}

function isImport(line: string): boolean {
  return /^\s*(import\b|export \* from|(const|let|var) [^=]+= require\()/.test(line);
}

function windowDraft(lines: readonly string[], start: number, end: number): Draft[] {
  const letters = lines
    .slice(start - 1, end)
    .join("")
    .replace(/[^\p{L}\p{N}]/gu, "");
  if (letters.length < Math.min(REST_CHARACTERS_MIN, lines.length)) return [];
  const span = { start_line: start, end_line: end };
  return [{ symbol: null, kind: "lines", exported: false, ...span, signature: "", doc: "" }];
}

/** Cuts Markdown at its headings, except inside code fences. Long sections become several windows. */
function sections(lines: readonly string[]): Draft[] {
  const drafts: Draft[] = [];
  let heading = "";
  let start = 1;
  let fenced = false;
  const close = (end: number) => {
    for (let from = start; from <= end; from += WINDOW_LINES) {
      const to = Math.min(end, from + WINDOW_LINES - 1);
      if (lines.slice(from - 1, to).every((line) => line.trim() === "")) continue;
      const span = { start_line: from, end_line: to };
      drafts.push({ symbol: null, kind: "section", exported: false, ...span, signature: heading, doc: "" });
    }
  };
  for (const [index, line] of lines.entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const title = fenced ? undefined : headingOf(line);
    if (title === undefined) continue;
    close(index);
    heading = title;
    start = index + 1;
  }
  close(lines.length);
  return drafts;
}

const HEADING_CHARACTERS_MAX = 300;

/** The text of an ATX heading without the `#` marks: https://spec.commonmark.org/0.31.2/#atx-headings */
function headingOf(line: string): string | undefined {
  const marks = /^#{1,6}(?=\s)/.exec(line)?.[0].length;
  if (marks === undefined) return undefined;
  let end = line.length;
  while (end > marks && /[#\s]/.test(line.charAt(end - 1))) end -= 1;
  return line.slice(marks, end).trimStart().slice(0, HEADING_CHARACTERS_MAX);
}

/**
 * The text of a chunk that is given to the embedder: its name as words, its comment, then its code.
 * The path is left out, so that a moved file keeps its embeddings.
 */
export function embeddingText(chunk: Omit<Chunk, "content_hash">, characters_max: number): string {
  const words = (chunk.symbol ?? "").replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2").replace(/[._$#]+/g, " ");
  const body = chunk.excerpt.replace(/[ \t]+/g, " ");
  return [words.trim().toLowerCase(), chunk.doc, chunk.symbol ? "" : chunk.signature, body]
    .filter((part) => part !== "")
    .join("\n")
    .slice(0, characters_max);
}
