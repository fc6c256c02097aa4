import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createDiff } from "#lib/code/diff/create-diff.ts";
import { fileChanges } from "#lib/code/diff/file-diff.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { fakeView, TASK_ID } from "../../test/fakes/fake-task.ts";
import { type FileTree, fileTreeOf, writeFileTree } from "../../test/fakes/file-tree.ts";
import { workingTree } from "./patch-base.ts";
import { planPatch } from "./plan-patch.ts";
import type { TaskPatch } from "./task-patch.ts";
import { preparedBy, stagePath, writeFiles } from "./write-files.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "apply-patch-"));
  roots.push(root);
  return root;
}

function patchOf(bytes: Buffer): TaskPatch {
  const files = parseDiff(bytes).flat();
  return {
    view: fakeView({ status: "succeeded", verdict: "passed" }),
    bytes,
    files,
    changes: fileChanges(files),
  };
}

async function patchBetween(before: FileTree, after: FileTree): Promise<TaskPatch> {
  const root = newRoot();
  const left = writeFileTree(join(root, "before"), before);
  return patchOf((await createDiff(left, writeFileTree(join(root, "after"), after))).bytes);
}

/** As the command does it. */
async function apply(directory: string, patch: TaskPatch, onStep?: (path: string) => void): Promise<number> {
  const stage = stagePath(directory, TASK_ID);
  const { todo } = await planPatch(patch, workingTree(directory), preparedBy(stage));
  writeFiles(directory, stage, todo, onStep);
  return todo.length;
}

const PICTURE = Buffer.from([0x89, 0x50, 0, 1, 2, 0xff, 0xfe, 0, 10, 13]);
const BEFORE: FileTree = {
  "src/a.js": "one\r\ntwo\r\n",
  "src/latin1.txt": Buffer.from([0xe4, 10, 0xf6, 10]),
  "old/name.txt": "moves\nas it is\n",
  "run.sh": "#!/bin/sh\n",
  "x.sh": "x:#!/bin/sh\n",
  "gone/deep/file": "deleted\n",
  "logo.png": PICTURE,
  link: "->src/a.js",
  turns: "a file\n",
  "opens/one": "1\n",
  left: "left\n",
  right: "right\n",
  "stays.txt": "not of the patch\n",
};
const AFTER: FileTree = {
  "src/a.js": "one\r\n2\r\n",
  "src/latin1.txt": Buffer.from([0xe4, 10, 0xdf, 10]),
  "new/place/name.txt": "moves\nas it is\n",
  "run.sh": "x:#!/bin/sh\n",
  "x.sh": "#!/bin/sh\n",
  "logo.png": Buffer.concat([PICTURE, Buffer.from([0, 7])]),
  "added.bin": Buffer.from([0, 1, 2]),
  "empty.txt": "",
  link: "->stays.txt",
  turns: "->stays.txt",
  opens: "1\n",
  left: "right\n",
  right: "left\n",
  "stays.txt": "not of the patch\n",
};

describe("applying the patch of a task to a directory", () => {
  it("changes text, bytes, modes, links and names, and leaves all else as it is", async () => {
    const directory = writeFileTree(join(newRoot(), "tree"), BEFORE);
    writeFileSync(join(directory, "notes.txt"), "mine\n");
    chmodSync(join(directory, "src/a.js"), 0o640);
    await apply(directory, await patchBetween(BEFORE, AFTER));
    const wanted = writeFileTree(join(newRoot(), "wanted"), { ...AFTER, "notes.txt": "mine\n" });
    expect(await fileTreeOf(directory)).toEqual(await fileTreeOf(wanted));
    expect(existsSync(join(directory, "gone"))).toBe(false);
    expect(existsSync(join(directory, "old"))).toBe(false);
    expect(existsSync(stagePath(directory, TASK_ID))).toBe(false);
    expect(statSync(join(directory, "src/a.js")).mode & 0o777).toBe(0o640);
  });

  it("has nothing to do the second time", async () => {
    const patch = await patchBetween(BEFORE, AFTER);
    const directory = writeFileTree(join(newRoot(), "tree"), AFTER);
    expect(await planPatch(patch, workingTree(directory))).toMatchObject({ todo: [] });
  });

  it("is finished by a second run, wherever the first was killed", async () => {
    const patch = await patchBetween(BEFORE, AFTER);
    const root = newRoot();
    const directory = writeFileTree(join(root, "tree"), BEFORE);
    let steps = 0;
    await apply(directory, patch, () => {
      // What stands on the disk now is what a kill at this moment would leave.
      cpSync(directory, join(root, `killed-${steps++}`), { recursive: true, verbatimSymlinks: true });
    });
    const wanted = await fileTreeOf(directory);
    expect(steps).toBeGreaterThan(12);
    for (let at = 0; at < steps; at++) {
      const killed = join(root, `killed-${at}`);
      expect(await apply(killed, patch), `${at}`).toBe(steps - at);
      expect(await fileTreeOf(killed), `killed before step ${at}`).toEqual(wanted);
    }
  });

  it("puts everything back when a file cannot be written", async () => {
    const patch = await patchBetween(BEFORE, AFTER);
    for (let failing = 0; failing < 12; failing++) {
      const directory = writeFileTree(join(newRoot(), "tree"), BEFORE);
      let step = 0;
      const full = () => {
        if (step++ === failing) throw new Error("ENOSPC: no space left on device");
      };
      await expect(apply(directory, patch, full)).rejects.toMatchObject({
        code: "APPLY_FAILED",
        message: expect.stringContaining("no space left"),
      });
      const wanted = writeFileTree(join(newRoot(), "wanted"), BEFORE);
      expect(await fileTreeOf(directory), `at step ${failing}`).toEqual(await fileTreeOf(wanted));
    }
  });

  it("gives the very tree for any two trees", async () => {
    const name = fc.constantFrom("a", "b", "c", "d/a", "d/b", "d/e/a", "e");
    const content = fc.oneof(
      fc.constantFrom("", "1\n", "1\n2\n", "no end", "->a", "->d/b", "x:1\n"),
      fc.constantFrom(Buffer.from([0, 1]), Buffer.from([0xff, 10])),
    );
    const tree = fc.dictionary(name, content, { minKeys: 1 }).map((files) => {
      // No file stands where a directory does.
      const paths = Object.keys(files);
      return Object.fromEntries(
        Object.entries(files).filter(([path]) => !paths.some((other) => other.startsWith(`${path}/`))),
      );
    });
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        const patch = await patchBetween(before, after);
        const directory = writeFileTree(join(newRoot(), "tree"), before);
        if (patch.bytes.length > 0) await apply(directory, patch);
        const wanted = writeFileTree(join(newRoot(), "wanted"), after);
        expect(await fileTreeOf(directory)).toEqual(await fileTreeOf(wanted));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a tree that differs from what the task was given", () => {
  const before = { "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "m.txt": "m\n", "d/e.txt": "e\n" };
  const after = { "a.txt": "A\n", "b.txt": "B\n", "m/new.txt": "m\n", "d/e.txt": "E\n", "f.txt": "f\n" };

  async function refused(change: (directory: string) => void): Promise<string[]> {
    const patch = await patchBetween(before, after);
    const directory = writeFileTree(join(newRoot(), "tree"), before);
    change(directory);
    const found = await fileTreeOf(directory).catch(() => ({}));
    const error = await apply(directory, patch).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: "FILES_DIFFER", exit_code: 1 });
    expect(await fileTreeOf(directory).catch(() => ({})), "nothing is written").toEqual(found);
    return error.hints.slice(0, -1);
  }

  it("is refused with every such file, before a byte is written", async () => {
    const differing = await refused((directory) => {
      writeFileSync(join(directory, "a.txt"), "a\n\n");
      rmSync(join(directory, "b.txt"));
      writeFileSync(join(directory, "c.txt"), "changed, and to be deleted\n");
      writeFileSync(join(directory, "f.txt"), "f\nand more\n");
    });
    expect(differing.sort()).toEqual([
      "a.txt has other content",
      "b.txt is missing",
      "c.txt has other content",
      "f.txt is there already",
    ]);
  });

  it("is refused for line ends alone, and for a file that moves and was changed", async () => {
    const differing = await refused((directory) => {
      writeFileSync(join(directory, "a.txt"), "a\r\n");
      writeFileSync(join(directory, "m.txt"), "m\nmore\n");
    });
    expect(differing).toEqual(["a.txt has other content", "m.txt has other content"]);
  });

  it("is refused where a link or a directory stands for a file", async () => {
    const links = await refused((directory) => {
      rmSync(join(directory, "a.txt"));
      symlinkSync("b.txt", join(directory, "a.txt"));
      mkdirSync(join(directory, "f.txt"));
    });
    expect(links).toEqual(["a.txt is a symbolic link", "f.txt cannot be made, for a directory is there"]);
  });

  it("is refused when the way to a file leads through a link, out of the directory too", async () => {
    const patch = await patchBetween(before, after);
    const directory = writeFileTree(join(newRoot(), "tree"), before);
    const outside = writeFileTree(join(newRoot(), "outside"), { "e.txt": "e\n" });
    rmSync(join(directory, "d"), { recursive: true });
    symlinkSync(outside, join(directory, "d"));
    await expect(apply(directory, patch)).rejects.toMatchObject({ code: "DIFF_PATH_UNSAFE" });
    expect(await fileTreeOf(outside)).toEqual({ "e.txt": "100644 e\n" });
  });

  it("may differ in every file that the patch does not touch", async () => {
    const patch = await patchBetween({ ...before, other: "1\n" }, { ...after, other: "1\n" });
    const directory = writeFileTree(join(newRoot(), "tree"), { ...before, other: "2\n" });
    expect(await apply(directory, patch)).toBeGreaterThan(0);
  });
});

describe("a patch that means harm", () => {
  const added = (path: string, mode: string, text: string) =>
    Buffer.from(
      `diff --git a/${path} b/${path}\nnew file mode ${mode}\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${text}\n\\ No newline at end of file\n`,
    );

  it.each([
    ["../out.txt", "100644"],
    ["/etc/out.txt", "100644"],
    [".git/hooks/post-commit", "100755"],
    ["sub/.GIT/config", "100644"],
  ])("names %s and is refused", (path, mode) => {
    expect(() => patchOf(added(path, mode, "x"))).toThrow(
      expect.objectContaining({ code: "DIFF_PATH_UNSAFE" }),
    );
  });

  it.each(["/etc/passwd", "../../x", "sub/../../x"])("makes a link to %s and is refused", async (target) => {
    const directory = writeFileTree(join(newRoot(), "tree"), { "sub/a": "a\n" });
    const patch = patchOf(added("link", "120000", target));
    await expect(apply(directory, patch)).rejects.toMatchObject({ code: "DIFF_PATH_UNSAFE" });
    expect(Object.keys(await fileTreeOf(directory))).toEqual(["sub/a"]);
  });

  it("is not blamed for links that lead out already", async () => {
    const directory = writeFileTree(join(newRoot(), "tree"), { a: "a\n", out: "->/usr" });
    await apply(directory, patchOf(added("link", "120000", "a")));
    expect((await fileTreeOf(directory)).link).toBe("120000 a");
  });
});
