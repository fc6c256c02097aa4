import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fetchPackage } from "./fetch-package.ts";
import type { LockedPackage } from "./locked-packages.ts";

/** What a running function never reads. */
const UNUSED = /\.(d\.[cm]?ts|ts|map|md|markdown)$|(^|\/)\.[^/]+$/i;

/**
 * The files of one package that a function needs, under `node_modules/<name>/`: from what is installed,
 * or from the registry when it is for other machines than this one.
 */
export async function packageFiles(name: string, locked: LockedPackage): Promise<Map<string, Uint8Array>> {
  const installed = join("node_modules", name);
  const root = existsSync(installed) ? installed : await fetchPackage(name, locked);
  const files = new Map<string, Uint8Array>();
  for (const path of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (path.startsWith("node_modules")) throw new Error(`${name} brings packages of its own: bundle it`);
    if (UNUSED.test(path) || !statSync(join(root, path)).isFile()) continue;
    files.set(`node_modules/${name}/${path}`, readFileSync(join(root, path)));
  }
  return files;
}
