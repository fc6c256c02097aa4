import { readFile, stat, writeFile } from "node:fs/promises";
import { z } from "zod";
import { fromJsonLines, toJsonLines } from "#lib/code/graph/json-lines.ts";
import { type ReadTreeOptions, readTree, type Tree, type TreeLimits } from "#lib/code/graph/read-tree.ts";
import { SnapshotBody } from "#lib/code/graph/snapshot.ts";
import { outputLimit } from "#lib/platform/confined/serve-computations.ts";

const TreeContent = SnapshotBody.pick({
  revision: true,
  files: true,
  chunks: true,
  imports: true,
  calls: true,
}).extend({
  symbols: z.int().min(0),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
}) satisfies z.ZodType<Tree>;

/** Where a tree is written, and how many bytes it may take there. */
export interface TreeFile {
  path: string;
  bytes_max: number;
}

/**
 * Reads a tree as `readTree` does, into a file: whoever asked for it reads that in slices, where one long answer
 * would hold it up. Throws RejectedInput `COMPUTATION_OUTPUT_LIMIT`.
 */
export async function readTreeTo(
  { path, bytes_max }: TreeFile,
  directory: string,
  limits: TreeLimits,
  options?: ReadTreeOptions,
): Promise<void> {
  const bytes = await toJsonLines({ ...(await readTree(directory, limits, options)) });
  if (bytes.length > bytes_max) throw tooLong(bytes_max);
  await writeFile(path, bytes);
}

/** The tree that `readTreeTo` wrote. Throws RejectedInput `COMPUTATION_OUTPUT_LIMIT`. */
export async function treeOf({ path, bytes_max }: TreeFile): Promise<Tree> {
  if ((await stat(path)).size > bytes_max) throw tooLong(bytes_max);
  return fromJsonLines(await readFile(path), TreeContent);
}

function tooLong(output_bytes_max: number) {
  return outputLimit({ computation: "read symbols and chunks", output_bytes_max });
}
