import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readTree } from "#lib/code/graph/read-tree.ts";
import { SMALL_REPOSITORY, writeTree } from "#test/fakes/small-repository.ts";

const limits = {
  file_bytes_max: 10_000,
  chunks_kept_max: 1000,
  chunk_characters_max: 600,
  excerpt_characters_max: 1000,
};
const removals: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of removals.splice(0)) await remove();
});

async function tree(files: Record<string, string | Uint8Array>, changed: Partial<typeof limits> = {}) {
  const { directory, remove } = await writeTree(files);
  removals.push(remove);
  return readTree(directory, { ...limits, ...changed });
}

describe("readTree", () => {
  it("links imports, also through the package's own import map, and calls", async () => {
    const { files, chunks, imports, calls } = await tree(SMALL_REPOSITORY);
    const path = (place: number) => files[place]?.path;
    expect(imports.map(([from, to]) => `${path(from)} → ${path(to)}`)).toEqual([
      "src/basket.ts → src/prices.ts",
      "test/prices.test.ts → src/prices.ts",
    ]);
    const name = (place: number | null) => (place === null ? "the file" : chunks[place]?.symbol);
    expect(calls.map(([file, from, to]) => `${path(file)}: ${name(from)} → ${name(to)}`)).toEqual([
      "src/basket.ts: Basket.amount → sumPrices",
      "src/parse-range.ts: parseRange → toPage",
      "test/prices.test.ts: the file → sumPrices",
    ]);
  });

  it("gives the same tree the same revision wherever it lies, and another tree another", async () => {
    const { revision } = await tree(SMALL_REPOSITORY);
    expect((await tree(SMALL_REPOSITORY)).revision).toBe(revision);
    expect((await tree({ ...SMALL_REPOSITORY, "README.md": "# Changed" })).revision).not.toBe(revision);
    expect((await tree({ ...SMALL_REPOSITORY, "node_modules/x/index.js": "1" })).revision).toBe(revision);
  });

  it("says why a file is not indexed, and follows no symbolic link", async () => {
    const { directory, remove } = await writeTree({
      "big.txt": "x\n".repeat(6000),
      "logo.png": new Uint8Array([137, 80, 0, 1]),
      "package-lock.json": "{}",
      "app.min.js": "a;".repeat(3000),
      "kept.js": "export const kept = () => 1;",
      "dist/built.js": "1",
    });
    removals.push(remove);
    await symlink("/etc/hostname", join(directory, "link.txt"));
    await symlink("..", join(directory, "loop"));
    const { files, skipped } = await readTree(directory, limits);
    expect(files.map(({ path }) => path)).toEqual(["kept.js"]);
    expect(skipped).toEqual([
      { path: "app.min.js", reason: "minified or generated" },
      { path: "big.txt", reason: "over 10000 bytes" },
      { path: "logo.png", reason: "binary" },
      { path: "package-lock.json", reason: "lock file" },
    ]);
  });

  it("reads an empty tree", async () => {
    expect(await tree({})).toMatchObject({ files: [], chunks: [], symbols: 0, skipped: [] });
  });

  it("keeps no more chunks than it may of 5,000 files, and stops when told to", async () => {
    const many: Record<string, string> = {};
    for (let i = 0; i < 5000; i++) {
      many[`src/${i % 50}/file${i}.ts`] = `export function number${i}() {\n  return call${i}();\n}\n`;
    }
    const { directory, remove } = await writeTree(many);
    removals.push(remove);
    const { chunks, files, skipped } = await readTree(directory, limits);
    expect([chunks.length, files.length, skipped.length]).toEqual([1000, 1000, 4000]);
    const reason = new Error("lease lost");
    await expect(readTree(directory, limits, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
