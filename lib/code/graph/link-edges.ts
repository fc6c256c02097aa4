import { dirname, join, normalize } from "node:path/posix";
import { simpleName } from "#lib/code/graph/code-words.ts";
import type { Call, FileSymbols } from "#lib/code/graph/read-symbols.ts";
import type { SnapshotBody, SnapshotChunk } from "#lib/code/graph/snapshot.ts";

export interface ReadFile {
  path: string;
  symbols: FileSymbols;
  /** Place in `chunks` of the file's first chunk; its symbols' chunks come first, in order. */
  first_chunk: number;
}

/** A name declared more often than this is too ambiguous to link a call to. */
const CANDIDATES_MAX = 200;

type Edges = Pick<SnapshotBody, "imports" | "calls">;

/**
 * Links imports and calls by name. A call is linked to a symbol of its own file, else of an imported file, else
 * (plain calls only, which a re-export may explain) to the only exported symbol of that name in the tree.
 * An ambiguous call gives no edge.
 */
export function linkEdges(
  files: readonly ReadFile[],
  chunks: readonly SnapshotChunk[],
  import_map: ImportMap,
): Edges {
  const places = new Map(files.map(({ path }, place) => [path, place]));
  const named = new Map<string, number[]>();
  for (const [place, chunk] of chunks.entries()) {
    if (chunk.symbol === null) continue;
    const name = simpleName(chunk.symbol);
    const same = named.get(name);
    if (same) same.push(place);
    else named.set(name, [place]);
  }
  const edges: Edges = { imports: [], calls: [] };
  for (const [place, file] of files.entries()) {
    const imported = new Set<number>();
    for (const specifier of file.symbols.imports) {
      const target = resolveImport(file.path, specifier, places, import_map);
      if (target !== undefined && target !== place) imported.add(target);
    }
    for (const target of imported) edges.imports.push([place, target]);
    const link = (call: Call, from: number | null) => {
      const to = resolveCall(call, named.get(call.name) ?? [], chunks, place, imported);
      if (to !== undefined && to !== from) edges.calls.push([place, from, to]);
    };
    for (const call of file.symbols.calls) link(call, null);
    for (const [index, symbol] of file.symbols.symbols.entries()) {
      for (const call of symbol.calls) link(call, file.first_chunk + index);
    }
  }
  return edges;
}

function resolveCall(
  call: Call,
  candidates: readonly number[],
  chunks: readonly SnapshotChunk[],
  file: number,
  imported: ReadonlySet<number>,
): number | undefined {
  if (candidates.length > CANDIDATES_MAX) return undefined;
  const own = candidates.filter((place) => chunks[place]?.file === file);
  if (own.length > 0) return own.length === 1 ? own[0] : undefined;
  const near = candidates.filter((place) => imported.has(chunks[place]?.file ?? -1));
  if (near.length > 0) return near.length === 1 ? near[0] : undefined;
  const far = call.member ? [] : candidates.filter((place) => chunks[place]?.exported);
  return far.length === 1 ? far[0] : undefined;
}

const ENDINGS = ["", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", "/index.ts", "/index.js"];

/** `imports` of a package.json with the simple form `"#lib/*": "./lib/*"`. */
export type ImportMap = Readonly<Record<string, string>>;

/** Linux takes no longer path (PATH_MAX), and normalizing one of many `../` costs more than its length. */
const SPECIFIER_CHARACTERS_MAX = 4096;

/**
 * Index of the file that `importer` imports by `specifier`; undefined for packages and files outside
 * the tree. A `.js` specifier also finds the `.ts` file it is compiled from.
 */
export function resolveImport(
  importer: string,
  specifier: string,
  places: ReadonlyMap<string, number>,
  import_map: ImportMap = {},
): number | undefined {
  if (specifier.length > SPECIFIER_CHARACTERS_MAX) return undefined;
  const target = specifier.startsWith(".")
    ? join(dirname(importer), specifier)
    : mapped(specifier, import_map);
  if (target === undefined) return undefined;
  for (const ending of ENDINGS) {
    const place = places.get(target + ending);
    if (place !== undefined) return place;
  }
  return places.get(target.replace(/\.([cm]?)js(x?)$/, ".$1ts$2"));
}

function mapped(specifier: string, import_map: ImportMap): string | undefined {
  for (const [pattern, target] of Object.entries(import_map)) {
    const [before = "", after] = pattern.split("*");
    if (after === undefined ? specifier === pattern : specifier.startsWith(before)) {
      return normalize(target.replace("*", specifier.slice(before.length)));
    }
  }
  return undefined;
}

/** Reads `imports` of a package.json; empty when there is none or the text is not JSON. */
export function readImportMap(package_json: string): ImportMap {
  try {
    const { imports } = JSON.parse(package_json) as { imports?: Record<string, unknown> };
    return Object.fromEntries(
      Object.entries(imports ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    );
  } catch {
    return {};
  }
}
