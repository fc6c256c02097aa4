import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { changedPathProblem } from "#lib/code/diff/diff-path.ts";
import type { FileMode } from "#lib/code/diff/file-diff.ts";
import { isText } from "#lib/code/diff/file-diff.ts";
import { type DiskKind, diskKind, readFileState } from "#lib/code/diff/read-tree.ts";
import type { EditLimits } from "#lib/code/edits/edit-limits.ts";
import { isRefused, quoted, type Refusal, refuse } from "#lib/code/edits/refusal.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

const BYTE_ORDER_MARK = "\uFEFF";

/** A text file of the tree. */
export interface EditedFile {
  mode: FileMode;
  /** Without the byte order mark. */
  text: string;
  has_byte_order_mark: boolean;
  /** SHA-256 of its bytes. */
  sha256: string;
}

/** The tree of a directory with the edits so far, which are written at the end. */
export interface EditedTree {
  directory: string;
  limits: EditLimits;
  /** What edits made of paths: a file, or null for gone. */
  edited: Map<string, EditedFile | null>;
}

type Refused = { refusal: Refusal };

/** A path as a model may give it: a leading `./` says nothing. */
export function plainPath(path: string): string {
  return path.replace(/^(?:\.\/)+/, "");
}

/** @returns undefined, or why the path is none of the repository's: `EDIT_PATH_UNSAFE` */
function refusePath(path: string): Refused | undefined {
  const problem = changedPathProblem(path);
  if (problem === undefined) return undefined;
  return refuse(
    "EDIT_PATH_UNSAFE",
    `The path ${quoted(path)} ${problem}. Name a file by its path from the root of the repository.`,
  );
}

/** The file at a path as the edits so far left it. @returns it, or `EDIT_…` when it is no file to be edited */
export async function openFile(tree: EditedTree, path: string): Promise<{ file: EditedFile } | Refused> {
  const kind = await kindAt(tree, path);
  if (isRefused(kind)) return kind;
  if (kind.kind === "missing") {
    return refuse("EDIT_FILE_MISSING", `There is no file ${quoted(path)} in the repository. Check the path.`);
  }
  if (kind.kind === "directory") {
    return refuse("EDIT_FILE_MISSING", `${quoted(path)} is a directory. Name a file.`);
  }
  const known = tree.edited.get(path);
  if (known) return { file: known };
  const { file_bytes_max } = tree.limits;
  const { size } = await lstat(join(tree.directory, path));
  if (size > file_bytes_max) return refuseSize(path, size, file_bytes_max);
  const state = await readFileState(tree.directory, path);
  if (state === undefined || state.mode === "120000") throw new Error(`${path} changed while it was read`);
  if (!isText(state.bytes)) {
    return refuse("EDIT_FILE_NOT_TEXT", `${quoted(path)} is no UTF-8 text, so it cannot be shown or edited.`);
  }
  const text = state.bytes.toString("utf8");
  const has_byte_order_mark = text.startsWith(BYTE_ORDER_MARK);
  const body = has_byte_order_mark ? text.slice(1) : text;
  return { file: { mode: state.mode, text: body, has_byte_order_mark, sha256: sha256(state.bytes) } };
}

/** @returns undefined when a file can be made at the path: nothing is there, and only directories lead there */
export async function refuseNewFile(tree: EditedTree, path: string): Promise<Refused | undefined> {
  const kind = await kindAt(tree, path);
  if (isRefused(kind)) return kind;
  if (kind.kind === "missing") return refuseOddName(path);
  const is = kind.kind === "directory" ? "a directory" : "a file";
  return refuse(
    "EDIT_FILE_EXISTS",
    `${quoted(path)} is ${is} already. Edit the file that is there, or choose another path.`,
  );
}

/** Names that a repository may have, but that a model writes only by mistake. */
function refuseOddName(path: string): Refused | undefined {
  if (!path.includes("\\") && path === path.trim()) return undefined;
  return refuse(
    "EDIT_PATH_UNSAFE",
    `The path ${quoted(path)} of a new file has a backslash in it, or a blank at an end. Part the directories by /.`,
  );
}

/** What a path would be with the edits so far; no link is followed. */
async function kindAt(
  tree: EditedTree,
  path: string,
): Promise<{ kind: Exclude<DiskKind, "link"> } | Refused> {
  const refused = refusePath(path);
  if (refused) return refused;
  for (const above of ancestorsOf(path)) {
    const kind = await ownKind(tree, above);
    if (isRefused(kind)) return kind;
    if (kind.kind === "file") {
      return refuse("EDIT_FILE_EXISTS", `${quoted(path)} cannot be there: ${quoted(above)} is a file.`);
    }
    if (kind.kind === "missing") return { kind: "missing" };
  }
  return ownKind(tree, path);
}

async function ownKind(
  tree: EditedTree,
  path: string,
): Promise<{ kind: Exclude<DiskKind, "link"> } | Refused> {
  const edited = tree.edited.get(path);
  if (edited) return { kind: "file" };
  for (const [other, file] of tree.edited) {
    if (file && other.startsWith(`${path}/`)) return { kind: "directory" };
  }
  if (edited === null) return { kind: "missing" };
  const kind = await diskKind(tree.directory, path).catch((error: unknown) => {
    if (error instanceof RejectedInput) return "special" as const;
    throw error;
  });
  if (kind === "link" || kind === "special") {
    const is = kind === "link" ? "a symbolic link, which is not followed" : "neither a file nor a directory";
    return refuse("EDIT_PATH_UNSAFE", `${quoted(path)} is ${is}. Name the file itself.`);
  }
  if (kind === "directory" && (await isEmptied(tree, path))) return { kind: "missing" };
  return { kind };
}

/** Whether a directory is gone because the edits so far deleted every file in it. */
async function isEmptied(tree: EditedTree, path: string): Promise<boolean> {
  if (![...tree.edited].some(([other, file]) => file === null && other.startsWith(`${path}/`))) return false;
  for (const entry of await readdir(join(tree.directory, path), { withFileTypes: true })) {
    const below = `${path}/${entry.name}`;
    const is_gone = entry.isDirectory() ? await isEmptied(tree, below) : tree.edited.get(below) === null;
    if (!is_gone) return false;
  }
  return true;
}

/** The bytes of a file as it is written. */
export function bytesOf({ text, has_byte_order_mark }: EditedFile): Buffer {
  return Buffer.from(has_byte_order_mark ? BYTE_ORDER_MARK + text : text);
}

/**
 * Puts a file's text into the tree after an edit.
 *
 * @returns the file, or `EDIT_FILE_NOT_TEXT` and `EDIT_TOO_LARGE`
 */
export function putText(
  tree: EditedTree,
  path: string,
  file: Omit<EditedFile, "sha256">,
): { file: EditedFile } | Refused {
  if (!file.text.isWellFormed() || file.text.includes("\0")) {
    return refuse(
      "EDIT_FILE_NOT_TEXT",
      `The edit would make ${quoted(path)} no UTF-8 text: it has a NUL or half a surrogate pair in it.`,
    );
  }
  const bytes = bytesOf({ ...file, sha256: "" });
  const { file_bytes_max, written_bytes_max } = tree.limits;
  if (bytes.length > file_bytes_max) return refuseSize(path, bytes.length, file_bytes_max);
  let written = bytes.length;
  for (const [other, edited] of tree.edited) {
    if (edited && other !== path) written += Buffer.byteLength(edited.text);
  }
  if (written > written_bytes_max) {
    return refuse("EDIT_TOO_LARGE", `All edited files together have more than ${written_bytes_max} bytes.`);
  }
  const put = { ...file, sha256: sha256(bytes) };
  tree.edited.set(path, put);
  return { file: put };
}

function refuseSize(path: string, bytes: number, bytes_max: number): Refused {
  return refuse(
    "EDIT_TOO_LARGE",
    `${quoted(path)} has ${bytes} bytes, and only files of up to ${bytes_max} bytes can be shown or edited.`,
  );
}
