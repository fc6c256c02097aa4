import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the gateway serves, and where it looks for it (functions/gateway/console-files.ts). */
export const CONSOLE_FOLDER = ".console";
export const CONSOLE_FILES = ["index.html", "app.js", "app.css"] as const;
const RUNBOOKS = "docs/runbooks";
const STAMP = "sources.sha256";
const VERSION_CHARACTERS = 16;
/** Oldest browsers that are served: those with `light-dark()`, since May 2024. */
const TARGET = ["chrome123", "firefox120", "safari17.5"];

/**
 * Builds the console below `root` into its folder `.console/`, unless it is there and its sources are the same.
 * Several may do so at once: each file is replaced whole. Answers false where `root` has no console.
 *
 * @throws BuildFailure of esbuild
 */
export async function buildConsole(root: string): Promise<boolean> {
  const sources = join(root, "console");
  if (!existsSync(join(sources, "main.tsx"))) return false;
  const folder = join(root, CONSOLE_FOLDER);
  const stamp = sourcesHash(root);
  const stamp_file = join(folder, STAMP);
  const is_current = existsSync(stamp_file) && readFileSync(stamp_file, "utf8") === stamp;
  if (is_current && CONSOLE_FILES.every((name) => existsSync(join(folder, name)))) return true;
  const files = await bundleConsole(sources, runbooksOf(root));
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of [...files, [STAMP, Buffer.from(stamp)] as const])
    replaceFile(join(folder, name), bytes);
  return true;
}

/** The runbooks by name without `.md`, which the console shows beside alerts; none where `root` has no documents. */
function runbooksOf(root: string): Record<string, string> {
  const folder = join(root, RUNBOOKS);
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .sort();
  return Object.fromEntries(
    names.map((name) => [name.slice(0, -".md".length), readFileSync(join(folder, name), "utf8")]),
  );
}

async function bundleConsole(
  sources: string,
  runbooks: Record<string, string>,
): Promise<Map<string, Uint8Array>> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: { app: join(sources, "main.tsx") },
    outdir: CONSOLE_FOLDER,
    write: false,
    bundle: true,
    define: { RUNBOOKS: JSON.stringify(runbooks) },
    format: "esm",
    platform: "browser",
    target: TARGET,
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: true,
    legalComments: "none",
    logLevel: "silent",
  });
  const files = new Map<string, Uint8Array>();
  let page = readFileSync(join(sources, "index.html"), "utf8");
  for (const name of ["app.js", "app.css"]) {
    const bytes = outputFiles.find(({ path }) => path.endsWith(name))?.contents ?? new Uint8Array();
    files.set(name, bytes);
    const version = createHash("sha256").update(bytes).digest("hex").slice(0, VERSION_CHARACTERS);
    page = page.replace(`/console/${name}`, `/console/${name}?v=${version}`);
  }
  files.set("index.html", Buffer.from(page));
  return files;
}

/** Of every file of the console, of the runbooks, of this script and of the packages' lock file. */
function sourcesHash(root: string): string {
  const hash = createHash("sha256").update(readFileSync(new URL(import.meta.url)));
  const lock = join(root, "package-lock.json");
  if (existsSync(lock)) hash.update(readFileSync(lock));
  hash.update(JSON.stringify(runbooksOf(root)));
  const names = readdirSync(join(root, "console"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const name of names) hash.update(name.slice(root.length)).update(readFileSync(name));
  return hash.digest("hex");
}

function replaceFile(path: string, bytes: Uint8Array): void {
  const new_file = `${path}.${randomUUID()}`;
  writeFileSync(new_file, bytes);
  renameSync(new_file, path);
}
