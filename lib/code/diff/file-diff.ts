import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { byPath } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";

/** Git's modes: a file, an executable file, a symbolic link (whose content is its target). */
export type FileMode = "100644" | "100755" | "120000";

export interface DiffLine {
  kind: "context" | "delete" | "insert";
  /** Bytes as Latin-1 text, with the line ending; without one only at the end of a file that has none. */
  text: string;
}

export interface Hunk {
  /** `@@ -1,3 +1,4 @@ …` as written. */
  header: string;
  /** Line of `header` in the diff, from 1. */
  line: number;
  before_start: number;
  before_count: number;
  after_start: number;
  after_count: number;
  lines: DiffLine[];
}

/** One `literal` or `delta` of a `GIT binary patch`, still compressed. */
export interface BinaryHunk {
  method: "literal" | "delta";
  /** Size of the data after it is decompressed, as stated. */
  bytes_count: number;
  compressed: Buffer;
}

/** What a diff does to one file. Paths are relative to the tree, without `a/` and `b/`. */
export interface FileDiff {
  kind: "added" | "modified" | "deleted" | "renamed" | "copied";
  /** Null for a file that is added. */
  before_path: string | null;
  /** Null for a file that is deleted. */
  after_path: string | null;
  before_mode?: FileMode;
  after_mode?: FileMode;
  /** Git's object ids before and after, `<id>..<id>`; a binary diff is checked against them. */
  index?: string;
  hunks: Hunk[];
  /** Absent for a diff of lines. */
  binary?: { forward: BinaryHunk; reverse?: BinaryHunk };
  /** A plain diff of nothing to something without a date: the file may be missing or empty. */
  may_be_missing?: boolean;
  /** Both names were the same, so no prefix was taken off; `git apply` would take off the first part. */
  unprefixed?: boolean;
}

export type FileChange = CodegenMetrics["files"][number];

/** The path a person knows the change by. */
export function pathOf(file: FileDiff): string {
  return file.after_path ?? file.before_path ?? "";
}

/** The name git gives to a file's content. */
export function objectId(bytes: Buffer): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** Bytes as a person reads them: UTF-8 where they are, else Latin-1. */
export function shownText(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? latin1 : text;
}

/** What file diffs come to, one entry a path: deleting and adding a file is modifying it. */
export function fileChanges(files: readonly FileDiff[]): FileChange[] {
  const changes = new Map<string, FileChange>();
  for (const file of files) {
    const change = changeOf(file);
    const earlier = file.kind === "copied" ? undefined : changes.get(file.before_path ?? change.path);
    if (earlier !== undefined) changes.delete(earlier.path);
    const merged = earlier === undefined ? change : mergeChanges(earlier, change);
    if (merged !== undefined) changes.set(merged.path, merged);
  }
  return [...changes.values()].sort(byPath);
}

function changeOf(file: FileDiff): FileChange {
  let insertions = 0;
  let deletions = 0;
  for (const hunk of file.hunks) {
    for (const { kind } of hunk.lines) {
      if (kind === "insert") insertions++;
      else if (kind === "delete") deletions++;
    }
  }
  const change = file.kind === "copied" ? "added" : file.kind;
  return { path: pathOf(file), change, insertions, deletions };
}

function mergeChanges(earlier: FileChange, later: FileChange): FileChange | undefined {
  if (earlier.change === "added" && later.change === "deleted") return undefined;
  return {
    path: later.path,
    change: mergedKind(earlier.change, later.change),
    insertions: earlier.insertions + later.insertions,
    deletions: earlier.deletions + later.deletions,
  };
}

function mergedKind(earlier: FileChange["change"], later: FileChange["change"]): FileChange["change"] {
  if (later === "deleted") return "deleted";
  if (earlier === "deleted") return "modified";
  return earlier === "modified" ? later : earlier;
}

/** `line` counts from 1. */
export function malformed(line: number, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_MALFORMED",
    `Line ${line} of the diff: ${problem}. Make the diff with \`git diff\` and send it unchanged.`,
  );
}

export function formatUnsupported(line: number, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_FORMAT_UNSUPPORTED",
    `Line ${line} of the diff: ${problem}. A diff is taken as \`git diff\`, \`git format-patch\` or \`diff -u\` write it.`,
  );
}

export function tooLarge(problem: string): RejectedInput {
  return new RejectedInput("DIFF_TOO_LARGE", `${problem}. Put large files into the source instead.`);
}

export function pathUnsafe(path: string, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_PATH_UNSAFE",
    `The diff names ${JSON.stringify(path)}, which ${problem}. A diff may only touch files inside the tree.`,
  );
}

export function binaryMissing(path: string): RejectedInput {
  return new RejectedInput(
    "DIFF_BINARY_UNSUPPORTED",
    `The diff says that the binary file ${JSON.stringify(path)} differs, but not how. Make the diff with \`git diff --binary\`.`,
  );
}

export function doesNotApply(path: string, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_DOES_NOT_APPLY",
    `${path}: ${problem}. Make the diff against the source that was submitted.`,
  );
}

/** Lines with their endings. A line ends at `\n` only, so a `\r` before it is part of the line. */
export function textLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Whether a line diff can carry these bytes unchanged: UTF-8 without a NUL. */
export function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}
