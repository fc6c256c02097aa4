import type { TaskView } from "#schemas/http/task-view.ts";
import { count, formatBytes } from "./format.ts";
import type { Paint } from "./paint.ts";

interface TreeOptions {
  /** Base of the paths that a key opens; none are shown when absent. */
  url?: string;
  /** Show `.meta.json` files and those of earlier rounds too, which are counted otherwise. */
  all?: boolean;
}

function isCompanion(path: string, paths: Set<string>): boolean {
  return path.endsWith(".meta.json") && paths.has(path.slice(0, -".meta.json".length));
}

/** Artifacts by folder, with sizes and links. A presigned one is long, and stands in a line of its own. */
export function artifactTree(
  artifacts: TaskView["artifacts"],
  paint: Paint,
  options: TreeOptions = {},
): string[] {
  if (artifacts.length === 0) return [paint.dim("  no artifacts yet")];
  const paths = new Set(artifacts.map(({ path }) => path));
  const companions = artifacts.filter(({ path }) => !options.all && isCompanion(path, paths));
  const current = artifacts.filter((artifact) => !companions.includes(artifact));
  const earlier = current.filter(({ path }) => !options.all && path.includes("/earlier/"));
  const shown = current.filter((artifact) => !earlier.includes(artifact));
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
    const href = artifact.url === undefined && options.url !== undefined;
    const link = href ? `  ${paint.dim(new URL(artifact.href, options.url).toString())}` : "";
    lines.push(`${indent}${name.padEnd(pad)} ${formatBytes(artifact.bytes).padStart(9)}${link}`);
    if (artifact.url !== undefined) lines.push(`${indent}  ${artifact.url}`);
  }
  const folded = [
    ...(earlier.length > 0 ? [`${count(earlier.length, "file")} of earlier rounds`] : []),
    ...(companions.length > 0
      ? [`${count(companions.length, ".meta.json file")} with checksum and origin`]
      : []),
  ];
  if (folded.length > 0) lines.push(paint.dim(`  and ${folded.join(", ")}`));
  return lines;
}

/** By folder, then by name; files at the root last. */
function byFolder(left: string, right: string): number {
  const rank = Number(!left.includes("/")) - Number(!right.includes("/"));
  const folder = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
  if (rank !== 0) return rank;
  if (folder(left) !== folder(right)) return folder(left) < folder(right) ? -1 : 1;
  return left < right ? -1 : 1;
}
