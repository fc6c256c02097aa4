import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import type { FileChange } from "#lib/code/diff/file-diff.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";

export type Texts = Record<string, string | Buffer>;
export type Links = Record<string, string>;

export async function listing(directory: string): Promise<Record<string, string>> {
  const tree = await readTree(directory);
  return Object.fromEntries([...tree].map(([path, file]) => [path, file.read().toString()]).sort());
}

export async function inTree<Result>(
  texts: Texts,
  work: (directory: string) => Promise<Result>,
  links: Links = {},
): Promise<Result> {
  return withTemporaryDirectory("apply-test", async (root) => {
    const directory = join(root, "tree");
    await mkdir(directory);
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    for (const [path, target] of Object.entries(links)) await symlink(target, join(directory, path));
    return work(directory);
  });
}

export async function applied(
  texts: Texts,
  diff: string | Buffer,
): Promise<{ tree: Record<string, string>; changes: FileChange[] }> {
  return inTree(texts, async (directory) => {
    const changes = await applyDiff(directory, diff);
    return { tree: await listing(directory), changes };
  });
}

export async function expectRefused(
  texts: Texts,
  diff: string | Buffer,
  code: string,
  naming: RegExp = /./,
  links: Links = {},
): Promise<void> {
  await inTree(
    texts,
    async (directory) => {
      const before = await listing(directory);
      const refused = applyDiff(directory, diff);
      await expect(refused).rejects.toMatchObject({ code, disposition: "reject" });
      await expect(refused).rejects.toThrow(naming);
      expect(await listing(directory), "nothing is written").toEqual(before);
    },
    links,
  );
}

export const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join("");
export const numbers = (from: number, to: number) =>
  lines(...Array.from({ length: to - from + 1 }, (_, index) => String(from + index)));
export const edit = (path: string, ...hunk: string[]) => lines(`--- a/${path}`, `+++ b/${path}`, ...hunk);
export const B_TO_X = edit("f", "@@ -1,3 +1,3 @@", " a", "-b", "+x", " c");
