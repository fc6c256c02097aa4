import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyEdits } from "#lib/code/edits/apply-edits.ts";
import { EDIT_LIMITS } from "#lib/code/edits/edit-limits.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";
import { inTree } from "#test/fakes/diff-tree.ts";
import { asBytes, bytesByPath, edited, replacing, showAll } from "#test/fakes/edited-tree.ts";

const BOM = "\uFEFF";
const _lines = { whole_lines: true } as const;

describe("files", () => {
  const write = (path: string, content: string, more = {}): AnsweredEdit => ({
    kind: "write",
    path,
    content,
    ...more,
  });
  const remove = (path: string, content?: string): AnsweredEdit => ({
    kind: "delete",
    path,
    ...(content === undefined ? {} : { content }),
  });
  const move = (path: string, new_path: string): AnsweredEdit => ({ kind: "rename", path, new_path });

  it("are made, replaced, deleted and renamed, in the order given", async () => {
    const { tree, codes, outcome } = await edited({ "a/x": "x\n", "a/y": "y\n", z: "z\n" }, [
      write("new/deep/n", "n\n"),
      replacing("n", "m", { path: "new/deep/n" }),
      remove("a/x"),
      move("a/y", "b/y"),
      replacing("y", "Y", { path: "b/y" }),
      write("z", "zz\n"),
      replacing("", "e\n", { path: "./e" }),
      remove("e"),
      write("e", "again\n"),
    ]);
    expect(codes).toEqual([]);
    expect(tree).toEqual({ "new/deep/n": "m\n", "b/y": "Y\n", z: "zz\n", e: "again\n" });
    expect(outcome.accepted.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(outcome.accepted[3]).toMatchObject({ kind: "rename", path: "a/y", new_path: "b/y" });
  });

  it("may take the place of a directory and the other way round", async () => {
    const swapped = await edited({ "a/x": "x\n", b: "b\n" }, [
      remove("a/x"),
      write("a", "a\n"),
      remove("b"),
      write("b/c", "c\n"),
    ]);
    expect(swapped).toMatchObject({ codes: [], tree: { a: "a\n", "b/c": "c\n" } });
    const taken = await edited({ "a/x": "x\n", "a/y": "y\n", b: "b\n" }, [
      remove("a/x"),
      write("a", "a\n"),
      write("b/c", "c\n"),
      write("n", "n"),
      write("n/m", "m"),
    ]);
    expect(taken.codes).toEqual(["EDIT_FILE_EXISTS", "EDIT_FILE_EXISTS", "EDIT_FILE_EXISTS"]);
    expect(taken.tree).toEqual({ "a/y": "y\n", b: "b\n", n: "n" });
  });

  it("keep line ends and byte order mark when they are replaced whole", async () => {
    const { tree, codes } = await edited({ crlf: `${BOM}a\r\nb\r\n`, mixed: "a\r\nb\nc\n", none: "a" }, [
      write("crlf", "a\nx\nb\n"),
      write("mixed", "a\nb\nx\nc\n"),
      write("none", "b\n"),
    ]);
    expect(codes).toEqual([]);
    expect(tree).toEqual({ crlf: asBytes(`${BOM}a\r\nx\r\nb\r\n`), mixed: "a\r\nb\nx\nc\n", none: "b\n" });
  });

  it("keep the mode that they have, and a new one is what it is said to be", async () => {
    await inTree({ run: "#!/bin/sh\na\n" }, async (directory) => {
      await chmod(join(directory, "run"), 0o755);
      await applyEdits(
        directory,
        [
          replacing("a", "b", { path: "run" }),
          write("tool", "t\n", { executable: true }),
          write("plain", "p\n"),
          move("run", "moved"),
        ],
        await showAll(directory),
      );
      const modes = await Promise.all(
        ["moved", "tool", "plain"].map(async (path) => (await stat(join(directory, path))).mode & 0o777),
      );
      expect(modes).toEqual([0o755, 0o755, 0o644]);
    });
  });

  it.each<[string, AnsweredEdit, string]>([
    ["that are missing", replacing("a", "b", { path: "gone" }), "EDIT_FILE_MISSING"],
    ["that are directories", replacing("a", "b", { path: "d" }), "EDIT_FILE_MISSING"],
    ["that are there and were to be made", write("f", "x\n", { is_new: true }), "EDIT_FILE_EXISTS"],
    ["that would take a directory's place", write("d", "x\n"), "EDIT_FILE_EXISTS"],
    ["below a file", write("f/x", "x\n"), "EDIT_FILE_EXISTS"],
    ["that stay the same", write("f", "a\n"), "EDIT_CHANGES_NOTHING"],
    ["that stay the same but for line ends", write("f", "a\r\n"), "EDIT_CHANGES_NOTHING"],
    ["renamed onto another", move("f", "d/g"), "EDIT_FILE_EXISTS"],
    ["renamed onto themselves", move("f", "./f"), "EDIT_CHANGES_NOTHING"],
    ["deleted with other lines than they have", remove("f", "b\n"), "EDIT_SEARCH_NOT_FOUND"],
    ["made with a backslash in their path", write("d\\n", "x\n"), "EDIT_PATH_UNSAFE"],
    ["made with a blank before their path", write(" n", "x\n"), "EDIT_PATH_UNSAFE"],
    ["with a NUL", write("n", "a\0b"), "EDIT_FILE_NOT_TEXT"],
    ["with half a surrogate pair", write("n", "a\ud800b"), "EDIT_FILE_NOT_TEXT"],
    ["with half a surrogate pair put in", replacing("a", "\udc00"), "EDIT_FILE_NOT_TEXT"],
    ["that are binary", replacing("a", "b", { path: "binary" }), "EDIT_FILE_NOT_TEXT"],
    ["that are not UTF-8", replacing("a", "b", { path: "latin1" }), "EDIT_FILE_NOT_TEXT"],
    ["that are not UTF-8, replaced whole", write("latin1", "b\n"), "EDIT_FILE_NOT_TEXT"],
    ["that are binary, deleted", remove("binary"), "EDIT_FILE_NOT_TEXT"],
    ["that are UTF-16", replacing("a", "b", { path: "utf16" }), "EDIT_FILE_NOT_TEXT"],
  ])("%s are refused", async (_, edit, code) => {
    const texts = {
      f: "a\n",
      "d/g": "g\n",
      binary: Buffer.from([0x61, 0, 0x62]),
      latin1: Buffer.from([0x61, 0xe4, 0x0a]),
      utf16: Buffer.from("\uFEFFa\n", "utf16le"),
    };
    const { codes, tree } = await edited(texts, [edit]);
    expect(codes).toEqual([code]);
    expect(tree).toEqual(
      Object.fromEntries(
        Object.entries(texts)
          .map(([path, text]) => [path, Buffer.from(text).toString("latin1")])
          .sort(),
      ),
    );
  });

  it("are deleted when the listed lines are theirs but for line ends", async () => {
    const { codes, tree } = await edited({ f: "a\r\nb", g: "" }, [remove("f", "a\nb\n")]);
    expect(codes).toEqual([]);
    expect(tree).toEqual({ g: "" });
  });

  it.each([
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "",
    ".",
    "a/",
    ".git/config",
    ".GIT/config",
    "sub/.git/hooks/x",
    ".git./config",
    ".git /config",
    ".git. . /x",
    "GIT~1/config",
    ".git::$INDEX_ALLOCATION/x",
    ".g\u200cit/config",
    "a\nb",
    "a\0b",
    "\ud800",
    "x".repeat(300),
    ".git",
    ".Git",
    "./../x",
    "..",
    "a/..",
  ])("at %j are refused", async (path) => {
    for (const edit of [
      write(path, "x\n"),
      replacing("a", "b", { path }),
      remove(path),
      move("f", path),
      replacing("", "x", { path }),
    ]) {
      const { codes, tree } = await edited({ f: "a\n" }, [edit]);
      expect(codes).toEqual(["EDIT_PATH_UNSAFE"]);
      expect(tree).toEqual({ f: "a\n" });
    }
  });

  it("are never reached through a link", async () => {
    const links = { link: "f", dir: "d", out: "../outside", "d/up": ".." };
    for (const path of ["link", "dir/g", "dir/new", "out/x", "out", "d/up/f", "d/up/new"]) {
      for (const edit of [write(path, "x\n"), replacing("a", "b", { path }), remove(path), move("f", path)]) {
        const { codes } = await edited({ f: "a\n", "d/g": "a\n" }, [edit], { links });
        expect(codes, path).toEqual(["EDIT_PATH_UNSAFE"]);
      }
    }
  });

  it("that are too large are refused, before and after an edit", async () => {
    const limits = { ...EDIT_LIMITS, file_bytes_max: 10, written_bytes_max: 25 };
    const { codes, tree } = await edited(
      { f: "a\n", big: "b".repeat(11) },
      [
        replacing("b", "c", { path: "big" }),
        replacing("a", "ä".repeat(5)),
        write("n1", "1".repeat(10)),
        write("n2", "2".repeat(10)),
        write("n3", "3".repeat(10)),
      ],
      { limits },
    );
    expect(codes).toEqual(["EDIT_TOO_LARGE", "EDIT_TOO_LARGE", "EDIT_TOO_LARGE"]);
    expect(Object.keys(tree)).toEqual(["big", "f", "n1", "n2"]);
  });

  it("beyond the number of edits are refused", async () => {
    const { codes, tree, outcome } = await edited(
      { f: "a\n" },
      [write("1", "1"), write("2", "2"), write("3", "3")],
      {
        limits: { ...EDIT_LIMITS, edits_max: 2 },
      },
    );
    expect(codes).toEqual(["EDIT_TOO_LARGE"]);
    expect(outcome.refused[0]?.number).toBe(3);
    expect(tree).toEqual({ 1: "1", 2: "2", f: "a\n" });
  });

  it("named as what every object has are files like others", async () => {
    const { codes, tree } = await edited({ constructor: "a\n" }, [
      write("__proto__", "x\n"),
      replacing("a", "b", { path: "constructor" }),
    ]);
    expect(codes).toEqual([]);
    expect(Object.keys(tree).sort()).toEqual(["__proto__", "constructor"]);
    expect(tree.constructor).toBe("b\n");
  });
});

describe("writing", () => {
  it("puts everything back when one file cannot be written", async () => {
    await inTree({ "a/f": "a\n", g: "g\n", r: "r\n" }, async (root) => {
      // So deep that a path of legal length below it is longer than the system takes.
      const deep = join(root, ...Array.from({ length: 14 }, () => "d".repeat(200)));
      await mkdir(join(deep, "a"), { recursive: true });
      for (const [path, text] of [
        ["a/f", "a\n"],
        ["g", "g\n"],
      ] as const)
        await writeFile(join(deep, path), text);
      const long = Array.from({ length: 9 }, () => "x".repeat(200)).join("/");
      const edits: AnsweredEdit[] = [
        { kind: "delete", path: "a/f" },
        replacing("g", "G", { path: "g" }),
        { kind: "write", path: "new/file", content: "n\n" },
        { kind: "write", path: long, content: "l\n" },
      ];
      await expect(applyEdits(deep, edits, await showAll(deep))).rejects.toThrow(/ENAMETOOLONG/);
      expect(await bytesByPath(deep)).toEqual({ "a/f": "a\n", g: "g\n" });
      expect((await readdir(deep)).sort()).toEqual(["a", "g"]);
      expect(await readdir(dirname(deep)), "nothing is left beside the tree").toEqual(["d".repeat(200)]);
    });
  });

  it("leaves nothing beside the tree, and no empty directory of deleted files", async () => {
    await inTree({ "a/b/f": "a\n", g: "g\n" }, async (directory) => {
      await applyEdits(
        directory,
        [{ kind: "delete", path: "a/b/f" }, replacing("g", "h", { path: "g" })],
        await showAll(directory),
      );
      expect(await readdir(directory)).toEqual(["g"]);
      expect(await readdir(dirname(directory))).toEqual(["tree"]);
      expect(await readFile(join(directory, "g"), "utf8")).toBe("h\n");
    });
  });
});
