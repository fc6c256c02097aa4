import { type FileTree, file, type TreeEntry } from "./file-tree.ts";

type Random = () => number;
/** Changes a tree in place. */
type Edit = (tree: FileTree, random: Random) => void;

const latin1 = (text: string) => Buffer.from(text, "latin1");
const WORDS = [
  "alpha",
  "beta",
  "if (x) {",
  "}",
  "return x;",
  "",
  "  indented",
  "\ttab",
  "-minus",
  "+plus",
  "@@ at @@",
];

function someLines(random: Random, count: number, ending = "\n"): string {
  return Array.from({ length: count }, (_, index) => {
    const word = WORDS[Math.floor(random() * WORDS.length)];
    return `${word} ${index}${ending}`;
  }).join("");
}

function someBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));
}

/** A tree with what real ones hold: encodings, line ends, modes, links, odd names, bytes that are no text. */
export function baseTree(random: Random): FileTree {
  return new Map<string, TreeEntry>([
    ["src/a.js", file(someLines(random, 60))],
    ["src/deep/er/b.ts", file(someLines(random, 20))],
    ["src/copy.txt", file(someLines(random, 30))],
    ["src/crlf.txt", file(someLines(random, 20, "\r\n"))],
    ["src/mixed.txt", file(someLines(random, 8, "\r\n") + someLines(random, 8))],
    ["src/latin1.txt", file(latin1(`${someLines(random, 8)}caf\xe9 na\xefve\n${someLines(random, 8)}`))],
    ["src/bom.txt", file(`\ufeff${someLines(random, 8)}`)],
    ["src/no-newline.txt", file(someLines(random, 9).trimEnd())],
    ["src/one-line", file("only\n")],
    ["src/repeats.txt", file("same\n".repeat(40))],
    ["empty", file("")],
    ["run.sh", file("#!/bin/sh\nexit 0\n", "100755")],
    ["logo.png", file(Buffer.concat([latin1("\x89PNG\r\n\x1a\n\0"), someBytes(random, 3000)]))],
    ["with space.txt", file(someLines(random, 12))],
    ["ünïcödé 文.txt", file(someLines(random, 12))],
    ['quo"te\\.txt', file(someLines(random, 12))],
    ["link", file("src/a.js", "120000")],
    ["old/one.txt", file(someLines(random, 15))],
    ["old/two.txt", file(someLines(random, 15))],
  ]);
}

function replaceLines(path: string, from: number, removed: number, added: string | Buffer): Edit {
  return (tree) => {
    const entry = tree.get(path) as TreeEntry;
    const lines = entry.bytes.toString("latin1").match(/[^\n]*\n|[^\n]+$/g) ?? [];
    lines.splice(from, removed, Buffer.from(added).toString("latin1"));
    tree.set(path, { ...entry, bytes: latin1(lines.join("")) });
  };
}

function move(from: string, to: string, keep = false): Edit {
  return (tree) => {
    tree.set(to, tree.get(from) as TreeEntry);
    if (!keep) tree.delete(from);
  };
}

const add =
  (path: string, entry: TreeEntry): Edit =>
  (tree) =>
    void tree.set(path, entry);
const remove =
  (...paths: string[]): Edit =>
  (tree) => {
    for (const path of paths) tree.delete(path);
  };
const all =
  (...edits: Edit[]): Edit =>
  (tree, random) => {
    for (const edit of edits) edit(tree, random);
  };

function swap(left: string, right: string): Edit {
  return (tree) => {
    const [one, other] = [tree.get(left) as TreeEntry, tree.get(right) as TreeEntry];
    tree.set(left, other);
    tree.set(right, one);
  };
}

function scatter(path: string, count: number): Edit {
  return (tree, random) => {
    for (let edit = 0; edit < count; edit++) {
      replaceLines(
        path,
        Math.floor(random() * 60),
        Math.floor(random() * 3),
        `edited ${random()}\n`,
      )(tree, random);
    }
  };
}

function flipBytes(path: string, count: number): Edit {
  return (tree, random) => {
    const entry = tree.get(path) as TreeEntry;
    const bytes = Buffer.from(entry.bytes);
    for (let flip = 0; flip < count; flip++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    tree.set(path, { ...entry, bytes });
  };
}

function mode(path: string, changed: TreeEntry["mode"]): Edit {
  return (tree) => void tree.set(path, { ...(tree.get(path) as TreeEntry), mode: changed });
}

const edited = replaceLines("src/a.js", 20, 2, "new line\nand another\n");

/** What a change may do, by name. */
export const EDITS: Record<string, Edit> = {
  "one edit": edited,
  "many hunks": scatter("src/a.js", 9),
  "edit at the start": replaceLines("src/a.js", 0, 1, "first\n"),
  "edit at the end": replaceLines("src/a.js", 59, 1, "last\n"),
  "insert in repeats": replaceLines("src/repeats.txt", 17, 0, "other\n"),
  "delete in repeats": replaceLines("src/repeats.txt", 17, 3, ""),
  "one-line file": replaceLines("src/one-line", 0, 1, "other\n"),
  "several files": all(edited, scatter("src/deep/er/b.ts", 2), scatter("old/one.txt", 2)),
  "crlf edit": replaceLines("src/crlf.txt", 9, 1, "neu\r\n"),
  "crlf to lf": replaceLines("src/crlf.txt", 9, 2, "neu\nneu\n"),
  "mixed ends": replaceLines("src/mixed.txt", 7, 2, "x\r\ny\n"),
  "latin-1 added": replaceLines("src/a.js", 20, 1, latin1("F\xfcnf\n")),
  "latin-1 context": replaceLines("src/latin1.txt", 9, 1, "next to it\n"),
  "latin-1 edited": replaceLines("src/latin1.txt", 8, 1, latin1("th\xe9\n")),
  "invalid utf-8": add("src/bad.txt", file(Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0xc3, 0x28, 0x0a]))),
  "bom file": replaceLines("src/bom.txt", 0, 1, "\ufeffother first\n"),
  "bom removed": replaceLines("src/bom.txt", 0, 1, "no bom\n"),
  "newline added": replaceLines("src/no-newline.txt", 8, 1, "last\n"),
  "newline removed": replaceLines("src/a.js", 59, 1, "last"),
  "no newline kept": replaceLines("src/no-newline.txt", 4, 1, "middle\n"),
  "no newline, last edited": replaceLines("src/no-newline.txt", 8, 1, "other end"),
  "add file": add("src/new/file.txt", file("one\ntwo\n")),
  "add file at root": add("new.txt", file("one\ntwo\n")),
  "add without newline": add("src/new.txt", file("one\ntwo")),
  "add empty file": add("src/void", file("")),
  "add executable": add("bin/tool", file("#!/bin/sh\n", "100755")),
  "add and edit": all(edited, add("src/new/file.txt", file("one\ntwo\n"))),
  "delete file": remove("old/one.txt"),
  "delete empty file": remove("empty"),
  "delete directory": remove("old/one.txt", "old/two.txt"),
  "delete file without newline": remove("src/no-newline.txt"),
  "make empty": replaceLines("src/one-line", 0, 1, ""),
  "fill empty": add("empty", file("no longer\n")),
  rename: move("old/one.txt", "new/uno.txt"),
  "rename and edit": all(
    move("src/copy.txt", "src/moved.txt"),
    replaceLines("src/moved.txt", 5, 1, "edited\n"),
  ),
  "rename over a directory": all(remove("old/two.txt"), move("old/one.txt", "old")),
  "rename into a file's place": all(move("empty", "was-empty"), move("src/one-line", "empty/one-line")),
  swap: swap("old/one.txt", "old/two.txt"),
  chain: all(move("old/two.txt", "old/three.txt"), move("old/one.txt", "old/two.txt")),
  "rename and replace": all(move("old/one.txt", "old/uno.txt"), add("old/one.txt", file("quite another\n"))),
  copy: move("src/copy.txt", "src/zcopy.txt", true),
  "copy, source edited": all(
    move("src/copy.txt", "src/zcopy.txt", true),
    replaceLines("src/copy.txt", 9, 1, "copy nine\n"),
  ),
  "copy before, source edited": all(
    move("src/copy.txt", "src/acopy.txt", true),
    replaceLines("src/copy.txt", 9, 1, "copy nine\n"),
  ),
  "copy and edit both": all(
    move("src/copy.txt", "src/zcopy.txt", true),
    replaceLines("src/copy.txt", 9, 1, "copy nine\n"),
    replaceLines("src/zcopy.txt", 20, 1, "copy twenty\n"),
  ),
  "copy and rename": all(move("src/copy.txt", "src/xcopy.txt", true), move("src/copy.txt", "src/ycopy.txt")),
  "mode on": mode("src/a.js", "100755"),
  "mode off": mode("run.sh", "100644"),
  "mode and edit": all(edited, mode("src/a.js", "100755")),
  "edit executable": replaceLines("run.sh", 1, 1, "exit 1\n"),
  "rename and mode": all(move("run.sh", "start.sh"), mode("start.sh", "100644")),
  "binary edited": flipBytes("logo.png", 3),
  "binary rewritten": flipBytes("logo.png", 3000),
  "binary added": add("img/new.png", file(latin1(`\x89PNG\0${"\0".repeat(400)}\xff`))),
  "binary deleted": remove("logo.png"),
  "binary renamed": move("logo.png", "img/logo.png"),
  "binary renamed and edited": all(move("logo.png", "img/logo.png"), flipBytes("img/logo.png", 2)),
  "binary to text": add("logo.png", file("now text\n")),
  "text to binary": add("src/one-line", file(latin1("\0\x01\x02"))),
  "binary and text": all(edited, flipBytes("logo.png", 3)),
  "binary grows": add("logo.png", file(Buffer.alloc(70_000, 7))),
  "link added": add("src/to-b", file("deep/er/b.ts", "120000")),
  "link changed": add("link", file("src/copy.txt", "120000")),
  "link deleted": remove("link"),
  "file to link": add("src/one-line", file("a.js", "120000")),
  "link to file": add("link", file("no link\n")),
  "file to directory": all(remove("empty"), add("empty/below", file("here\n"))),
  "directory to file": all(remove("old/one.txt", "old/two.txt"), add("old", file("a file\n"))),
  "name with space": replaceLines("with space.txt", 4, 1, "edited\n"),
  "rename with space": move("with space.txt", "other space.txt"),
  "unicode name": replaceLines("ünïcödé 文.txt", 4, 1, "edited\n"),
  "unicode name added": add("日本/語.txt", file("ok\n")),
  "quoted name": replaceLines('quo"te\\.txt', 4, 1, "edited\n"),
  "quoted name renamed": move('quo"te\\.txt', 'other"quote.txt'),
  "lines like headers": replaceLines(
    "src/a.js",
    30,
    3,
    "-- a/x\n++ b/x\n-- \ndiff --git a/x b/x\n@@ -1 +1 @@\n",
  ),
  "words of a mail": add(
    "mail.txt",
    file("From 1234 Mon Sep 17 00:00:00 2001\nSubject: x\n---\n-- \n2.40\n"),
  ),
};
