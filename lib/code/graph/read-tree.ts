import { createHash } from "node:crypto";
import { appendFileSync, createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { basename, extname } from "node:path/posix";
import { pipeline } from "node:stream/promises";
import { chunkFile } from "#lib/code/graph/chunk-file.ts";
import { linkEdges, type ReadFile, readImportMap } from "#lib/code/graph/link-edges.ts";
import { type FileSymbols, readSymbols } from "#lib/code/graph/read-symbols.ts";
import type { SnapshotBody } from "#lib/code/graph/snapshot.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";

export type TreeLimits = Pick<
  GraphConfig,
  "file_bytes_max" | "chunks_kept_max" | "chunk_characters_max" | "excerpt_characters_max"
>;

export interface Tree extends Pick<SnapshotBody, "revision" | "files" | "chunks" | "imports" | "calls"> {
  symbols: number;
  skipped: { path: string; reason: string }[];
}

export interface ReadTreeOptions {
  signal?: AbortSignal;
  /** Why a file is not read, by its path. */
  left_out?: ReadonlyMap<string, string>;
  /** A file that each path is added to before the file is read, with a NUL behind it; "" stands for no file any more. */
  trail?: string;
}

const NO_SYMBOLS: FileSymbols = { symbols: [], imports: [], calls: [] };

/**
 * Reads the files, chunks and edges of a tree; no chunk has a vector yet. `revision` is the SHA-256 of all
 * (path, SHA-256) pairs sorted by path, skipped files included, so the same tree has the same revision.
 */
export async function readTree(
  directory: string,
  limits: TreeLimits,
  { signal, left_out, trail }: ReadTreeOptions = {},
): Promise<Tree> {
  const begin = (path: string) => trail !== undefined && appendFileSync(trail, `${path}\0`);
  const revision = createHash("sha256");
  const tree: Tree = {
    revision: "",
    files: [],
    chunks: [],
    imports: [],
    calls: [],
    symbols: 0,
    skipped: [],
  };
  const read: ReadFile[] = [];
  let import_map = {};
  for (const path of await walkTree(directory)) {
    signal?.throwIfAborted();
    const { size } = await stat(join(directory, path));
    begin(path);
    const { text, ...file } = await readTreeFile(directory, path, size, limits.file_bytes_max);
    revision.update(`${path}\0${file.sha256}\n`);
    const why_not = left_out?.get(path);
    if (text === undefined || why_not !== undefined) {
      tree.skipped.push({ path, reason: file.reason ?? why_not ?? "no text" });
      continue;
    }
    const language = languageOf(path);
    const symbols = hasSymbols(language) ? readSymbols(path, text) : NO_SYMBOLS;
    const chunks = chunkFile({ language, text, symbols: symbols.symbols }, limits);
    if (tree.chunks.length + chunks.length > limits.chunks_kept_max) {
      tree.skipped.push({ path, reason: `over ${limits.chunks_kept_max} chunks in the repository` });
      continue;
    }
    const place = tree.files.push({ path, language, sha256: file.sha256 }) - 1;
    read.push({ path, symbols, first_chunk: tree.chunks.length });
    for (const chunk of chunks) tree.chunks.push({ ...chunk, file: place, vector: null });
    tree.symbols += symbols.symbols.length;
    if (path === "package.json") import_map = readImportMap(text);
  }
  begin("");
  return { ...tree, ...linkEdges(read, tree.chunks, import_map), revision: revision.digest("hex") };
}

/** Folders that are not the repository's own source. */
const SKIPPED = new Set([".git", ".hg", ".svn", "node_modules", "dist", "coverage", "__pycache__", ".venv"]);
const DEPTH_MAX = 64;

/** Paths of the regular files below `directory`, with `/`, sorted. Symbolic links are not followed. */
async function walkTree(directory: string): Promise<string[]> {
  const paths: string[] = [];
  const open: { path: string; depth: number }[] = [{ path: "", depth: 0 }];
  for (let folder = open.pop(); folder; folder = open.pop()) {
    for (const entry of await readdir(join(directory, folder.path), { withFileTypes: true })) {
      const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
      if (entry.isFile()) paths.push(path);
      const enter = entry.isDirectory() && !SKIPPED.has(entry.name) && folder.depth < DEPTH_MAX;
      if (enter) open.push({ path, depth: folder.depth + 1 });
    }
  }
  return paths.sort((a, b) => (a < b ? -1 : 1));
}

interface TreeFile {
  sha256: string;
  /** Absent when the file is not indexed; `reason` then says why. */
  text?: string;
  reason?: string;
}

const LOCK_FILE =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|poetry\.lock|go\.sum)$/;
const BINARY_PROBE_BYTES = 8192;
const LINE_CHARACTERS_MEAN_MAX = 400;

/** Reads a file's hash, and its text unless it is too large, binary or generated. */
async function readTreeFile(
  directory: string,
  path: string,
  bytes: number,
  file_bytes_max: number,
): Promise<TreeFile> {
  if (bytes > file_bytes_max) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(directory, path)), hash);
    return { sha256: hash.digest("hex"), reason: `over ${file_bytes_max} bytes` };
  }
  const content = await readFile(join(directory, path));
  const file = { sha256: sha256(content) };
  if (content.subarray(0, BINARY_PROBE_BYTES).includes(0)) return { ...file, reason: "binary" };
  if (LOCK_FILE.test(path)) return { ...file, reason: "lock file" };
  const text = content.toString("utf8");
  const lines = text.split("\n").length;
  if (text.length > 4096 && text.length / lines > LINE_CHARACTERS_MEAN_MAX) {
    return { ...file, reason: "minified or generated" };
  }
  return { ...file, text };
}

/** Language name by file extension, as shown in reports. */
const LANGUAGES: Readonly<Record<string, string>> = {
  ".js": "javascript",
  ".mjs": "javascript",
  ".cjs": "javascript",
  ".jsx": "javascript",
  ".ts": "typescript",
  ".mts": "typescript",
  ".cts": "typescript",
  ".tsx": "tsx",
  ".md": "markdown",
  ".markdown": "markdown",
  ".py": "python",
  ".go": "go",
  ".rs": "rust",
  ".java": "java",
  ".kt": "kotlin",
  ".rb": "ruby",
  ".php": "php",
  ".c": "c",
  ".h": "c",
  ".cc": "cpp",
  ".cpp": "cpp",
  ".hpp": "cpp",
  ".cs": "csharp",
  ".swift": "swift",
  ".scala": "scala",
  ".sh": "shell",
  ".sql": "sql",
  ".css": "css",
  ".html": "html",
  ".vue": "vue",
  ".svelte": "svelte",
  ".json": "json",
  ".yaml": "yaml",
  ".yml": "yaml",
  ".toml": "toml",
  ".xml": "xml",
  ".proto": "protobuf",
  ".graphql": "graphql",
};

/** The language of a file by its extension; `text` when unknown. */
export function languageOf(path: string): string {
  if (basename(path) === "Dockerfile") return "dockerfile";
  return LANGUAGES[extname(path).toLowerCase()] ?? "text";
}

/** True for languages whose symbols are read; files in other languages are cut into windows or sections. */
function hasSymbols(language: string): boolean {
  return language === "javascript" || language === "typescript" || language === "tsx";
}
