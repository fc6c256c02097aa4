import { setImmediate as yieldToOthers } from "node:timers/promises";
import { BINARY_BYTES_MAX, formatBinary } from "#lib/code/diff/binary-patch.ts";
import { quotePath } from "#lib/code/diff/diff-path.ts";
import {
  type DiffLine,
  type FileChange,
  type FileDiff,
  fileChanges,
  type Hunk,
  objectId,
  textLines,
  tooLarge,
} from "#lib/code/diff/file-diff.ts";
import { type LineChange, lineChanges } from "#lib/code/diff/line-changes.ts";
import { readTree, type Tree, type TreeFile } from "#lib/code/diff/read-tree.ts";
import { type FileContent, flagOfChange } from "#lib/code/flags/flag-of.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

const FILES_BETWEEN_YIELDS = 256;
const CONTEXT_LINES = 3;
export interface CreatedDiff {
  /** Empty when the trees are the same. */
  bytes: Buffer;
  changes: FileChange[];
}

interface Changed {
  path: string;
  before?: TreeFile;
  after?: TreeFile;
  /** Where an unchanged file was before. */
  from?: string;
}

/** A file diff, and how it is written down: bytes as Latin-1 text. */
interface Written {
  file: FileDiff;
  body: string;
}

/**
 * The unified diff that makes `after` of `before` (each a directory, or a tree already read), such
 * that `git apply` and `applyDiff` give exactly `after`. Files with a NUL become git's binary
 * patches, all others are compared by line, whatever their encoding. The same trees give the same
 * bytes: files by path, three lines of context, a rename only for a file that moved unchanged. Left
 * out are `.git` and empty directories.
 *
 * @throws RejectedInput `DIFF_TOO_LARGE` when a changed binary file is too large for a diff
 */
export async function createDiff(before: string | Tree, after: string | Tree): Promise<CreatedDiff> {
  const left = typeof before === "string" ? await readTree(before) : before;
  const right = typeof after === "string" ? await readTree(after) : after;
  const files: FileDiff[] = [];
  const pieces: Buffer[] = [];
  for (const [index, changed] of pairRenames(await changedFiles(left, right)).entries()) {
    if (index % FILES_BETWEEN_YIELDS === 0) await yieldToOthers();
    for (const { file, body } of writeChanged(changed)) {
      files.push(file);
      pieces.push(Buffer.from(headerOf(file)), Buffer.from(body, "latin1"));
    }
  }
  return { bytes: Buffer.concat(pieces), changes: fileChanges(files).map(flagged(left, right, files)) };
}

/** Says of each changed file why a reviewer must look at it. A moved file is judged by both its names. */
function flagged(left: Tree, right: Tree, files: readonly FileDiff[]): (change: FileChange) => FileChange {
  const renamed = new Map(
    files.map(({ kind, before_path, after_path }) => [after_path, kind === "renamed" ? before_path : null]),
  );
  return (change) => {
    const from = renamed.get(change.path) ?? undefined;
    const flags = [change.path, ...(from === undefined ? [] : [from])].map((path) =>
      flagOfChange(path, contentOf(left.get(path)), contentOf(right.get(path))),
    );
    const flag = flags.find((one) => one !== undefined);
    return { ...change, ...(from !== undefined && { from }), ...(flag !== undefined && { flag }) };
  };
}

function contentOf(file: TreeFile | undefined): FileContent {
  return file?.mode === "120000" ? "link" : file?.read();
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
  if (before.mode !== after.mode || before.bytes_count !== after.bytes_count) return false;
  return before.read().equals(after.read());
}

/** Joins a deleted and an added file of the same content; the first of several by path. */
function pairRenames(changed: readonly Changed[]): Changed[] {
  const gone = new Map<string, { path: string; before: TreeFile }[]>();
  for (const { path, before, after } of changed) {
    // A rename says no mode, so git would not know that a link went; links are deleted and added.
    if (before === undefined || after !== undefined || before.bytes_count === 0) continue;
    if (before.mode === "120000") continue;
    const key = sha256(before.read());
    gone.set(key, [...(gone.get(key) ?? []), { path, before }]);
  }
  const moved = new Set<string>();
  const pairs = changed.map((file): Changed => {
    if (file.before !== undefined || file.after === undefined || file.after.mode === "120000") return file;
    const source = gone.get(sha256(file.after.read()))?.shift();
    if (source === undefined) return file;
    moved.add(source.path);
    return { ...file, before: source.before, from: source.path };
  });
  return pairs.filter((pair) => !moved.has(pair.path));
}

function writeChanged({ path, before, after, from }: Changed): Written[] {
  if (before === undefined || after === undefined) return [writeFileDiff(path, before, after)];
  if (from !== undefined) {
    const file = { ...modes(before, after), kind: "renamed" as const, before_path: from, after_path: path };
    const index = indexOf(before, after);
    return [{ file: { ...file, index, hunks: [] }, body: "" }];
  }
  const is_retyped = (before.mode === "120000") !== (after.mode === "120000");
  return is_retyped
    ? [writeFileDiff(path, before, undefined), writeFileDiff(path, undefined, after)]
    : [writeFileDiff(path, before, after)];
}

function writeFileDiff(path: string, before: TreeFile | undefined, after: TreeFile | undefined): Written {
  const left = before?.read() ?? Buffer.alloc(0);
  const right = after?.read() ?? Buffer.alloc(0);
  const differs = !left.equals(right);
  const is_binary = differs && (left.includes(0) || right.includes(0));
  if (is_binary && Math.max(left.length, right.length) > BINARY_BYTES_MAX) {
    throw tooLarge(`${JSON.stringify(path)} is a binary file of more than ${BINARY_BYTES_MAX} bytes`);
  }
  const has_lines = differs && !is_binary;
  const file: FileDiff = {
    kind: before === undefined ? "added" : after === undefined ? "deleted" : "modified",
    before_path: before === undefined ? null : path,
    after_path: after === undefined ? null : path,
    ...modes(before, after),
    index: indexOf(before, after),
    hunks: has_lines
      ? makeHunks(textLines(left.toString("latin1")), textLines(right.toString("latin1")))
      : [],
  };
  const hunks = file.hunks.map((hunk) => `${hunk.header}\n${hunk.lines.map(formatLine).join("")}`);
  return { file, body: is_binary ? formatBinary(left, right) : hunks.join("") };
}

/** Also where the content stays, which git leaves out: whoever applies the diff can tell whether it is the same file. */
function indexOf(before: TreeFile | undefined, after: TreeFile | undefined): string {
  return `${idOf(before)}..${idOf(after)}`;
}

function idOf(file: TreeFile | undefined): string {
  return file === undefined ? "0".repeat(40) : objectId(file.read());
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

/** The hunks between two files' lines, with three lines of context as `git diff` has them. */
function makeHunks(before: readonly string[], after: readonly string[]): Hunk[] {
  const groups: LineChange[][] = [];
  for (const change of lineChanges(before, after)) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (group && last && change.before_start - last.before_end <= 2 * CONTEXT_LINES) group.push(change);
    else groups.push([change]);
  }
  return groups.map((group) => hunkOf(group, before, after));
}

function hunkOf(group: readonly LineChange[], before: readonly string[], after: readonly string[]): Hunk {
  const first = group[0] as LineChange;
  const last = group.at(-1) as LineChange;
  const leading = Math.min(CONTEXT_LINES, first.before_start);
  const trailing = Math.min(CONTEXT_LINES, before.length - last.before_end);
  const lines: DiffLine[] = [];
  const take = (kind: DiffLine["kind"], source: readonly string[], from: number, to: number) => {
    for (const text of source.slice(from, to)) lines.push({ kind, text });
  };
  let position = first.before_start - leading;
  for (const change of group) {
    take("context", before, position, change.before_start);
    take("delete", before, change.before_start, change.before_end);
    take("insert", after, change.after_start, change.after_end);
    position = change.before_end;
  }
  take("context", before, position, last.before_end + trailing);
  const before_count = last.before_end + trailing - (first.before_start - leading);
  const after_count = last.after_end + trailing - (first.after_start - leading);
  const before_start = startOf(first.before_start - leading, before_count);
  const after_start = startOf(first.after_start - leading, after_count);
  const header = `@@ -${before_start},${before_count} +${after_start},${after_count} @@`;
  return { header, line: 0, before_start, before_count, after_start, after_count, lines };
}

/** A side without lines is named by the line before it. */
function startOf(index: number, count: number): number {
  return count === 0 ? index : index + 1;
}

/** One file's header as `git diff` writes it, with `a/` and `b/`. */
function headerOf(file: FileDiff): string {
  const before = `a/${file.before_path ?? file.after_path}`;
  const after = `b/${file.after_path ?? file.before_path}`;
  const lines = [`diff --git ${quotePath(before)} ${quotePath(after)}`, ...modeLines(file)];
  if (file.kind === "renamed") {
    lines.push(
      "similarity index 100%",
      `rename from ${quotePath(file.before_path ?? "")}`,
      `rename to ${quotePath(file.after_path ?? "")}`,
    );
  }
  if (file.index !== undefined) lines.push(`index ${file.index}${indexMode(file)}`);
  if (file.hunks.length > 0) {
    lines.push(
      `--- ${file.before_path === null ? "/dev/null" : quotePath(before)}`,
      `+++ ${file.after_path === null ? "/dev/null" : quotePath(after)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function modeLines(file: FileDiff): string[] {
  if (file.kind === "added") return [`new file mode ${file.after_mode ?? "100644"}`];
  if (file.kind === "deleted") return [`deleted file mode ${file.before_mode ?? "100644"}`];
  if (file.before_mode === file.after_mode) return [];
  return [`old mode ${file.before_mode}`, `new mode ${file.after_mode}`];
}

/** A link's mode must be said even when it stays, or its target would be taken for a file's text. */
function indexMode(file: FileDiff): string {
  return file.kind === "modified" && file.before_mode === file.after_mode ? ` ${file.before_mode}` : "";
}

function formatLine(line: DiffLine): string {
  const sign = line.kind === "context" ? " " : line.kind === "delete" ? "-" : "+";
  return line.text.endsWith("\n")
    ? `${sign}${line.text}`
    : `${sign}${line.text}\n\\ No newline at end of file\n`;
}
