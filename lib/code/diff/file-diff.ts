import { RejectedInput } from "#lib/platform/errors/fault.ts";

/** Git's modes: a file, an executable file, a symbolic link (whose text is its target). */
export type FileMode = "100644" | "100755" | "120000";

export interface DiffLine {
  kind: "context" | "delete" | "insert";
  /** With its line ending; without one only at the end of a file that has none. */
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

/** What a diff does to one file. Paths are relative to the tree, without `a/` and `b/`. */
export interface FileDiff {
  kind: "added" | "modified" | "deleted" | "renamed" | "copied";
  /** Null for a file that is added. */
  before_path: string | null;
  /** Null for a file that is deleted. */
  after_path: string | null;
  before_mode?: FileMode;
  after_mode?: FileMode;
  /** Git's object ids before and after, `<id>..<id>`, so that `git apply --3way` can work. */
  index?: string;
  hunks: Hunk[];
}

/** The path a person knows the change by. */
export function pathOf(file: FileDiff): string {
  return file.after_path ?? file.before_path ?? "";
}

/** `line` counts from 1. */
export function malformed(line: number, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_MALFORMED",
    `Line ${line} of the diff: ${problem}. Make the diff with \`git diff\` and send it unchanged.`,
  );
}

export function pathUnsafe(path: string, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_PATH_UNSAFE",
    `The diff names ${JSON.stringify(path)}, which ${problem}. A diff may only touch files inside the tree.`,
  );
}

export function binaryUnsupported(path: string): RejectedInput {
  return new RejectedInput(
    "DIFF_BINARY_UNSUPPORTED",
    `${JSON.stringify(path)} is not UTF-8 text, and a diff of it is not supported. Leave it unchanged, or put it into the source itself.`,
  );
}
