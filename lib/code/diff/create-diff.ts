import { createHash } from "node:crypto";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { type FileChange, fileChanges } from "#lib/code/diff/file-changes.ts";
import { binaryUnsupported, type FileDiff } from "#lib/code/diff/file-diff.ts";
import { formatDiff } from "#lib/code/diff/format-diff.ts";
import { makeHunks } from "#lib/code/diff/make-hunks.ts";
import { readTree, type Tree, type TreeFile } from "#lib/code/diff/read-tree.ts";
import { isText, textLines } from "#lib/code/diff/text-lines.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

const FILES_BETWEEN_YIELDS = 256;

export interface CreatedDiff {
  /** Empty when the trees are the same. */
  text: string;
  changes: FileChange[];
}

interface Changed {
  path: string;
  before?: TreeFile;
  after?: TreeFile;
}

/**
 * The unified diff that makes `after` of `before` (each a directory, or a tree already read), such
 * that `git apply` and `applyDiff` give exactly `after`. The same trees give the same text: files
 * by path, three lines of context, a rename only for a file that moved unchanged. Left out are
 * `.git` and empty directories.
 *
 * @throws RejectedInput `DIFF_BINARY_UNSUPPORTED` when the content of a file that is not UTF-8
 * text differs; it may still move or change its mode
 */
export async function createDiff(before: string | Tree, after: string | Tree): Promise<CreatedDiff> {
  const left = typeof before === "string" ? await readTree(before) : before;
  const right = typeof after === "string" ? await readTree(after) : after;
  const files = fileDiffs(pairRenames(await changedFiles(left, right)));
  return { text: files.map(formatDiff).join(""), changes: fileChanges(files) };
}

async function changedFiles(left: Tree, right: Tree): Promise<Changed[]> {
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  const changed: Changed[] = [];
  for (const [index, path] of paths.entries()) {
    if (index % FILES_BETWEEN_YIELDS === 0) await yieldToOthers();
    const before = left.get(path);
    const after = right.get(path);
    if (before === undefined || after === undefined || !isSame(before, after)) {
      changed.push({ path, ...(before ? { before } : {}), ...(after ? { after } : {}) });
    }
  }
  return changed;
}

function isSame(before: TreeFile, after: TreeFile): boolean {
  return before.mode === after.mode && sameContent(before, after);
}

function sameContent(before: TreeFile, after: TreeFile): boolean {
  return before.bytes_count === after.bytes_count && before.read().equals(after.read());
}

type Pair = Changed & { from?: string };

/** Joins a deleted and an added file of the same content; the first of several by path. */
function pairRenames(changed: readonly Changed[]): Pair[] {
  const gone = new Map<string, { path: string; before: TreeFile }[]>();
  for (const { path, before, after } of changed) {
    // A rename says no mode, so git would not know that a link went; links are deleted and added.
    if (before === undefined || after !== undefined || before.bytes_count === 0) continue;
    if (before.mode === "120000") continue;
    const key = sha256(before.read());
    gone.set(key, [...(gone.get(key) ?? []), { path, before }]);
  }
  const moved = new Set<string>();
  const pairs = changed.map((file): Pair => {
    if (file.before !== undefined || file.after === undefined || file.after.mode === "120000") return file;
    const source = gone.get(sha256(file.after.read()))?.shift();
    if (source === undefined) return file;
    moved.add(source.path);
    return { ...file, before: source.before, from: source.path };
  });
  return pairs.filter((pair) => !moved.has(pair.path));
}

function fileDiffs(pairs: readonly Pair[]): FileDiff[] {
  return pairs.flatMap(({ path, before, after, from }) => {
    if (before === undefined || after === undefined) return [fileDiff(path, before, after)];
    if (from !== undefined) {
      return [{ ...modes(before, after), kind: "renamed", before_path: from, after_path: path, hunks: [] }];
    }
    const is_retyped = (before.mode === "120000") !== (after.mode === "120000");
    return is_retyped
      ? [fileDiff(path, before, undefined), fileDiff(path, undefined, after)]
      : [fileDiff(path, before, after)];
  });
}

function fileDiff(path: string, before: TreeFile | undefined, after: TreeFile | undefined): FileDiff {
  const left = before?.read() ?? Buffer.alloc(0);
  const right = after?.read() ?? Buffer.alloc(0);
  const differs = !left.equals(right);
  if (differs && !(isText(left) && isText(right))) throw binaryUnsupported(path);
  return {
    kind: before === undefined ? "added" : after === undefined ? "deleted" : "modified",
    before_path: before === undefined ? null : path,
    after_path: after === undefined ? null : path,
    ...modes(before, after),
    ...(differs || !before || !after
      ? { index: `${objectId(before && left)}..${objectId(after && right)}` }
      : {}),
    hunks: differs ? makeHunks(textLines(left.toString("utf8")), textLines(right.toString("utf8"))) : [],
  };
}

function modes(
  before: TreeFile | undefined,
  after: TreeFile | undefined,
): Pick<FileDiff, "before_mode" | "after_mode"> {
  return {
    ...(before ? { before_mode: before.mode } : {}),
    ...(after ? { after_mode: after.mode } : {}),
  };
}

/** What git names a blob by. */
function objectId(bytes: Buffer | undefined): string {
  if (bytes === undefined) return "0".repeat(40);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
