import type { ArtifactView } from "#schemas/http/task-view.ts";
import { count, formatBytes } from "./format.ts";
import type { Paint } from "./paint.ts";

interface TreeOptions {
  /** Base of the links; none are shown when absent. */
  url?: string;
  /** Show each `.meta.json` too, which are counted otherwise. */
  all?: boolean;
}

function isCompanion(path: string, paths: Set<string>): boolean {
  return path.endsWith(".meta.json") && paths.has(path.slice(0, -".meta.json".length));
}

/** Artifacts by folder, with sizes and links. */
export function artifactTree(artifacts: ArtifactView[], paint: Paint, options: TreeOptions = {}): string[] {
  if (artifacts.length === 0) return [paint.dim("  no artifacts yet")];
  const paths = new Set(artifacts.map(({ path }) => path));
  const shown = artifacts.filter(({ path }) => options.all || !isCompanion(path, paths));
  const width = Math.max(...shown.map(({ path }) => (path.split("/").at(-1) ?? path).length));
  const lines: string[] = [];
  let folder = "";
  for (const artifact of [...shown].sort((left, right) => byFolder(left.path, right.path))) {
    const parts = artifact.path.split("/");
    const name = parts.pop() ?? artifact.path;
    if (parts.join("/") !== folder) {
      folder = parts.join("/");
      if (folder !== "") lines.push(`  ${paint.bold(`${folder}/`)}`);
    }
    const indent = folder === "" ? "  " : "    ";
    const pad = width + 4 - indent.length;
    const link =
      options.url === undefined ? "" : `  ${paint.dim(new URL(artifact.href, options.url).toString())}`;
    lines.push(`${indent}${name.padEnd(pad)} ${formatBytes(artifact.bytes).padStart(9)}${link}`);
  }
  const companions = artifacts.length - shown.length;
  if (companions > 0)
    lines.push(paint.dim(`  and ${count(companions, ".meta.json file")} with checksum and origin`));
  return lines;
}

/** Folders first, files at the root last. */
function byFolder(left: string, right: string): number {
  const rank = Number(!left.includes("/")) - Number(!right.includes("/"));
  return rank || (left < right ? -1 : 1);
}
