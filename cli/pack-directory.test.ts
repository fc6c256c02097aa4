import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { list } from "tar";
import { afterEach, describe, expect, it } from "vitest";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { UsageError } from "./cli-error.ts";
import { packDirectory, packLimits } from "./pack-directory.ts";

const with_git = await needing("git");

function tree(files: Record<string, string>): string {
  const root = temporaryDirectory("agents-pack");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

async function names(archive: Buffer): Promise<string[]> {
  const found: string[] = [];
  const parser = list({ onReadEntry: (entry) => void found.push(entry.path) });
  await new Promise<void>((resolve) => {
    parser.on("end", resolve);
    parser.end(archive);
  });
  return found;
}

describe("packDirectory", () => {
  const limits = { ...packLimits };
  afterEach(() => void Object.assign(packLimits, limits));

  it("gives the same bytes for the same files, whatever their times and places", async () => {
    const left = tree({ "b.js": "b", "a/c.js": "c", "@types": "t" });
    const right = tree({ "@types": "t", "a/c.js": "c", "b.js": "b" });
    utimesSync(join(right, "b.js"), 1, 1);
    const packed = await packDirectory(left);
    expect((await packDirectory(right)).archive.equals(packed.archive)).toBe(true);
    writeFileSync(join(right, "b.js"), "changed");
    expect((await packDirectory(right)).archive.equals(packed.archive)).toBe(false);
  });

  it("leaves out node_modules and .git outside a repository", async () => {
    const root = tree({ "a.js": "a", "node_modules/x/index.js": "x", "lib/node_modules/y.js": "y" });
    const { archive, files } = await packDirectory(root);
    expect(await names(archive)).toEqual(["a.js"].map((name) => `./${name}`));
    expect(files).toBe(1);
  });

  with_git.it(
    "follows .gitignore in a repository, takes untracked files and leaves out deleted ones",
    async () => {
      const root = tree({ ".gitignore": "out\n", "a.js": "a", "gone.js": "g", "out/b.js": "b" });
      execFileSync("git", ["-C", root, "init", "-q"]);
      execFileSync("git", ["-C", root, "add", "."]);
      execFileSync("rm", [join(root, "gone.js")]);
      writeFileSync(join(root, "new.js"), "n");
      symlinkSync("a.js", join(root, "link.js"));
      const { archive } = await packDirectory(root);
      expect(await names(archive)).toEqual(["./.gitignore", "./a.js", "./link.js", "./new.js"]);
    },
  );

  with_git.it("packs an ignored directory that was named itself", async () => {
    const root = tree({ ".gitignore": "out\n", "out/b.js": "b" });
    execFileSync("git", ["-C", root, "init", "-q"]);
    expect((await packDirectory(join(root, "out"))).files).toBe(1);
  });

  it("refuses an empty directory", async () => {
    await expect(packDirectory(tree({}))).rejects.toThrow(/Nothing to pack/);
  });

  it.each([
    [{ files_max: 1 }, /more than 1 files/],
    [{ tree_bytes_max: 10 }, /at most 10 B/],
    [{ archive_bytes_max: 100 }, /packed; at most 100 B/],
  ])("refuses too much, %j, and names what is large", async (limit, sentence) => {
    Object.assign(packLimits, limit);
    const root = tree({ "big/a.bin": "x".repeat(50), "b.js": "b" });
    const error = await packDirectory(root).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(sentence);
    expect((error as UsageError).hints.join(" ")).toContain(".gitignore");
  });
});
