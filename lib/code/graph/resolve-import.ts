import { dirname, join, normalize } from "node:path/posix";

const ENDINGS = ["", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", "/index.ts", "/index.js"];

/** `imports` of a package.json with the simple form `"#lib/*": "./lib/*"`. */
export type ImportMap = Readonly<Record<string, string>>;

/**
 * Place of the file that `specifier` means in `importer`, or undefined for packages and files not
 * in the tree. `.js` also finds the `.ts` it is compiled from.
 */
export function resolveImport(
  importer: string,
  specifier: string,
  places: ReadonlyMap<string, number>,
  import_map: ImportMap = {},
): number | undefined {
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

/** The import map of a package.json's text; empty when it has none or is not JSON. */
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
