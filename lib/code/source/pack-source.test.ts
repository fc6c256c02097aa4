import { chmod, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDiff } from "#lib/code/diff/create-diff.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { packDirectory, packFiles } from "#lib/code/source/pack-source.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";

async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  return withTemporaryDirectory("pack-test", async (root) => {
    const directory = join(root, "tree");
    await mkdir(directory);
    return work(directory);
  });
}

describe("packDirectory", () => {
  it("gives an archive that unpacks to the same tree, without .git", async () => {
    await inDirectory(async (directory) => {
      await mkdir(join(directory, "src/empty"), { recursive: true });
      await mkdir(join(directory, ".git"));
      await writeFile(join(directory, ".git/config"), "secret");
      await writeFile(join(directory, "src/ünïcode – file.js"), "x\r\n");
      await writeFile(join(directory, `${"long-".repeat(40)}.txt`), "long name");
      await writeFile(join(directory, "bytes"), Buffer.from([0, 255, 128]));
      await writeFile(join(directory, "run"), "#!/bin/sh\n");
      await chmod(join(directory, "run"), 0o4751);
      await symlink("src/../run", join(directory, "link"));
      const ports = fakeSourcePorts();
      const reference = await ports.blobs.write(await packDirectory(directory), "application/gzip");
      const copy = join(directory, "../copy");
      await unpackSource(reference, copy, ports);
      expect((await createDiff(directory, copy)).bytes.length).toBe(0);
      expect((await readTree(copy)).size).toBe(5);
      expect(await packDirectory(copy)).toEqual(await packDirectory(directory));
    });
  });

  it("gives the same bytes whatever the times and the order of writing", async () => {
    const packed = (names: string[], time: number) =>
      inDirectory(async (directory) => {
        for (const name of names) {
          await writeFile(join(directory, name), name);
          await utimes(join(directory, name), time, time);
        }
        return packDirectory(directory);
      });
    expect(await packed(["a", "b", "c"], 1)).toEqual(await packed(["c", "b", "a"], 1_000_000));
  });

  it("refuses a link out of the tree, and a tree past its limits", async () => {
    await inDirectory(async (directory) => {
      await writeFile(join(directory, "a"), "12345");
      const limits = { source_bytes_max: 10_000, tree_bytes_max: 4, tree_files_max: 10 };
      await expect(packDirectory(directory, { limits })).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
      const few = { ...limits, tree_bytes_max: 100, tree_files_max: 0 };
      await expect(packDirectory(directory, { limits: few })).rejects.toMatchObject({
        code: "SOURCE_TOO_MANY_FILES",
      });
      const small = { ...limits, tree_bytes_max: 100, source_bytes_max: 20 };
      await expect(packDirectory(directory, { limits: small })).rejects.toMatchObject({
        code: "SOURCE_TOO_LARGE",
      });
      await symlink("../..", join(directory, "out"));
      await expect(packDirectory(directory)).rejects.toMatchObject({ code: "SOURCE_LINK_UNSAFE" });
    });
  });
});

describe("packFiles", () => {
  it("packs texts by path, the same in any order", async () => {
    const one = await packFiles({ "src/a.js": "a", "b.js": "b" });
    expect(await packFiles({ "b.js": "b", "src/a.js": "a" })).toEqual(one);
    const ports = fakeSourcePorts();
    await withTemporaryDirectory("pack-test", async (directory) => {
      await unpackSource(await ports.blobs.write(one, "application/gzip"), directory, ports);
      expect([...(await readTree(directory)).keys()].sort()).toEqual(["b.js", "src/a.js"]);
    });
  });

  it.each([
    ["/etc/passwd"],
    ["../x"],
    ["a/../../x"],
    ["a//b"],
    ["./a"],
    ["a/"],
    [""],
    ["a\\b"],
    ["a\0b"],
    ["a\nb"],
    [".git/config"],
    ["a/.GIT/hooks/x"],
    ["\ud800"],
    ["x".repeat(300)],
  ])("refuses the path %j", async (path) => {
    await expect(packFiles({ ok: "", [path]: "x" })).rejects.toMatchObject({
      code: "SOURCE_PATH_UNSAFE",
      disposition: "reject",
    });
  });

  it("refuses a file below a file", async () => {
    await expect(packFiles({ a: "", "a/b": "" })).rejects.toMatchObject({ code: "SOURCE_PATH_UNSAFE" });
  });

  it("either refuses a path or gives it back to the letter", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 150 }), fc.string(), async (path, text) => {
        const archive = await packFiles({ [path]: text }).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "SOURCE_PATH_UNSAFE" });
        });
        if (archive === undefined) return;
        const ports = fakeSourcePorts();
        const reference = await ports.blobs.write(archive, "application/gzip");
        await withTemporaryDirectory("pack-test", async (directory) => {
          await unpackSource(reference, directory, ports);
          const tree = await readTree(directory);
          expect([...tree.keys()]).toEqual([path]);
          expect(tree.get(path)?.read().toString()).toBe(text.toWellFormed());
        });
      }),
      { numRuns: 150 },
    );
  });
});
