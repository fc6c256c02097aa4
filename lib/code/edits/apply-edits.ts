import { withoutTrailingBlanks } from "#lib/code/edits/blanks.ts";
import { EDIT_LIMITS, type EditLimits } from "#lib/code/edits/edit-limits.ts";
import { editText } from "#lib/code/edits/edit-text.ts";
import {
  bytesOf,
  type EditedFile,
  type EditedTree,
  openFile,
  plainPath,
  putText,
  refuseNewFile,
} from "#lib/code/edits/edited-tree.ts";
import {
  editState,
  isWhollyShown,
  type KnownFiles,
  knownFiles,
  noteEdited,
  noteRefused,
  noteRenamed,
} from "#lib/code/edits/known-files.ts";
import { changesNothing, isRefused, quoted, type Refusal, refuse } from "#lib/code/edits/refusal.ts";
import { replacePlaces } from "#lib/code/edits/replace-places.ts";
import { writeFiles } from "#lib/code/edits/write-files.ts";
import { FLAG_REASONS, flagOfChange, flagOfPath, isManifest } from "#lib/code/flags/flag-of.ts";
import type {
  AcceptedEdit,
  AnsweredEdit,
  Edit,
  EditOutcome,
  EditState,
  RefusedEdit,
} from "#schemas/edits.ts";
import type { FlagClass } from "#schemas/flags.ts";

/** The state at the start of a conversation. */
export const NOTHING_SHOWN: EditState = { files: [] };

interface Work {
  tree: EditedTree;
  known: KnownFiles;
  limits: EditLimits;
}

type Accepted = Pick<AcceptedEdit, "lines" | "tolerances">;
type Outcome = { accepted: Accepted } | { refusal: Refusal };
type EditOf<Kind extends Edit["kind"]> = Extract<Edit, { kind: Kind }>;

const WITHOUT_SEARCH: Accepted = { lines: [], tolerances: [] };

/**
 * Applies edits to the tree in a directory, in the order given, each on what those before it left. An edit is
 * applied exactly or refused with a code; a refused edit changes nothing and stops no other. All files are
 * written at the end, each whole. An error while writing puts back what was there and is thrown.
 *
 * @returns what was accepted and refused, and the state for the next answer. Refusals have the codes
 * `EDITS_MISSING` (the list is empty) and `EDIT_…`
 */
export async function applyEdits(
  directory: string,
  edits: readonly AnsweredEdit[],
  state: EditState,
  limits: EditLimits = EDIT_LIMITS,
): Promise<EditOutcome> {
  const work: Work = {
    tree: { directory, limits, edited: new Map() },
    known: knownFiles(state),
    limits,
  };
  const accepted: AcceptedEdit[] = [];
  const refused: RefusedEdit[] = [];
  const wanted = new Set<string>();
  for (const [index, answered] of edits.slice(0, limits.edits_max).entries()) {
    const number = index + 1;
    const outcome = await applyUnflagged(answered, work);
    if (isRefused(outcome)) {
      const path = answered.path === undefined ? undefined : plainPath(answered.path);
      refused.push(refusedEdit(number, path, outcome.refusal));
      if (path !== undefined && (await isFile(path, work))) {
        if (noteRefused(work.known, path).refusals >= limits.refusals_max) wanted.add(path);
      }
    } else if (answered.kind !== "unreadable") {
      accepted.push({ number, ...namesOf(answered), ...outcome.accepted });
    }
  }
  const beyond = refuseBeyond(edits.length, limits);
  if (beyond) refused.push(beyond);
  await writeFiles(work.tree);
  return { accepted, refused, whole_files_wanted: [...wanted], state: editState(work.known) };
}

function refusedEdit(
  number: number,
  path: string | undefined,
  { code, message, nearby }: Refusal,
): RefusedEdit {
  return { number, ...(path === undefined ? {} : { path }), code, message, nearby: nearby ?? [] };
}

function refuseBeyond(count: number, { edits_max }: EditLimits): RefusedEdit | undefined {
  if (count === 0) {
    return refusedEdit(1, undefined, {
      code: "EDITS_MISSING",
      message: "The answer has no edit. Send at least one.",
    });
  }
  if (count <= edits_max) return undefined;
  return refusedEdit(edits_max + 1, undefined, {
    code: "EDIT_TOO_LARGE",
    message: `The answer has ${count} edits, of which the first ${edits_max} were taken. Send the others again.`,
  });
}

function namesOf(edit: Edit): Pick<AcceptedEdit, "kind" | "path" | "new_path"> {
  const path = plainPath(edit.path);
  return edit.kind === "rename"
    ? { kind: edit.kind, path, new_path: plainPath(edit.new_path) }
    : { kind: edit.kind, path };
}

async function isFile(path: string, { tree }: Work): Promise<boolean> {
  return !isRefused(await openFile(tree, path));
}

/** Applies an edit unless it would change a file that may not be changed; then everything stays as it is. */
async function applyUnflagged(edit: AnsweredEdit, work: Work): Promise<Outcome> {
  const { refused_flags } = work.limits;
  if (edit.kind === "unreadable" || refused_flags.length === 0) return applyEdit(edit, work);
  const paths = [edit.path, ...(edit.kind === "rename" ? [edit.new_path] : [])].map(plainPath);
  const by_path = paths.map((path) => ({ path, flag: flagOfPath(path) })).find(isIn(refused_flags));
  if (by_path) return refuseFlagged(by_path);
  const manifests = paths.filter(isManifest);
  if (manifests.length === 0) return applyEdit(edit, work);
  const { tree, known } = work;
  const attempt = { ...work, tree: { ...tree, edited: new Map(tree.edited) }, known: structuredClone(known) };
  const outcome = await applyEdit(edit, attempt);
  if (isRefused(outcome)) return outcome;
  for (const path of manifests) {
    const before = await openFile({ ...tree, edited: new Map() }, path);
    const after = attempt.tree.edited.get(path);
    const flag = flagOfChange(
      path,
      isRefused(before) ? undefined : bytesOf(before.file),
      after ? bytesOf(after) : undefined,
    );
    if (isIn(refused_flags)({ flag })) return refuseFlagged({ path, flag });
  }
  Object.assign(work, { tree: attempt.tree, known: attempt.known });
  return outcome;
}

function isIn(refused_flags: readonly FlagClass[]): (found: { flag: FlagClass | undefined }) => boolean {
  return ({ flag }) => flag !== undefined && refused_flags.includes(flag);
}

function refuseFlagged({ path, flag }: { path: string; flag: FlagClass | undefined }): { refusal: Refusal } {
  return refuse(
    "EDIT_FILE_FLAGGED",
    `${quoted(path)} may not be changed like that: ${FLAG_REASONS[flag as FlagClass]}, and the owner has not allowed it. Make the change without it, and say in your description what the owner should change there.`,
  );
}

async function applyEdit(edit: AnsweredEdit, work: Work): Promise<Outcome> {
  if (edit.kind === "unreadable")
    return { refusal: { code: edit.code as Refusal["code"], message: edit.message } };
  const path = plainPath(edit.path);
  switch (edit.kind) {
    case "replace":
      return replaceText(path, edit, work);
    case "write":
      return writeText(path, edit, work);
    case "delete":
      return deleteFile(path, edit, work);
    case "rename":
      return renameFile(path, plainPath(edit.new_path), work);
  }
}

/** A file that is there, as it was when it was shown. */
async function openShown(
  path: string,
  { tree, known }: Work,
): Promise<{ file: EditedFile } | { refusal: Refusal }> {
  const opened = await openFile(tree, path);
  if (isRefused(opened)) return opened;
  const seen = known.get(path)?.sha256 ?? null;
  if (seen === null) {
    return refuse(
      "EDIT_FILE_NOT_SHOWN",
      `${quoted(path)} was not shown to you. Ask to see it before you edit it.`,
    );
  }
  if (seen !== opened.file.sha256) {
    return refuse(
      "EDIT_FILE_CHANGED",
      `${quoted(path)} has changed since it was shown to you. Look at it again, then make the edit against what is there now.`,
    );
  }
  return opened;
}

async function replaceText(path: string, edit: EditOf<"replace">, work: Work): Promise<Outcome> {
  if (withoutByteOrderMark(edit.search) === "") {
    const refused = await refuseNewFile(work.tree, path);
    if (refused?.refusal.code === "EDIT_FILE_EXISTS") {
      return refuse(
        "EDIT_FILE_EXISTS",
        `The search text is empty, which makes a new file, but ${quoted(path)} is there already. Say which text of it to replace.`,
      );
    }
    if (refused) return refused;
    return putNewFile(path, edit.replace, work);
  }
  const opened = await openShown(path, work);
  if (isRefused(opened)) return opened;
  const edited = editText(path, opened.file.text, edit);
  if (isRefused(edited)) return edited;
  const put = putText(work.tree, path, { ...opened.file, text: edited.text });
  if (isRefused(put)) return put;
  noteEdited(work.known, path, { ...put.file, is_written_whole: false });
  return { accepted: { lines: edited.lines, tolerances: edited.tolerances } };
}

function putNewFile(path: string, text: string, work: Work, is_executable = false): Outcome {
  const mode = is_executable ? "100755" : "100644";
  const has_byte_order_mark = text !== withoutByteOrderMark(text);
  const put = putText(work.tree, path, { mode, text: withoutByteOrderMark(text), has_byte_order_mark });
  if (isRefused(put)) return put;
  noteEdited(work.known, path, { ...put.file, is_written_whole: true });
  return { accepted: WITHOUT_SEARCH };
}

async function writeText(path: string, edit: EditOf<"write">, work: Work): Promise<Outcome> {
  const refused = await refuseNewFile(work.tree, path);
  if (refused === undefined) return putNewFile(path, edit.content, work, edit.executable);
  if (edit.is_new || refused.refusal.code !== "EDIT_FILE_EXISTS") return refused;
  const opened = await openShown(path, work);
  if (isRefused(opened)) return opened.refusal.code === "EDIT_FILE_MISSING" ? refused : opened;
  const known = work.known.get(path);
  if (known === undefined || !isWhollyShown(known)) {
    return refuse(
      "EDIT_FILE_NOT_SHOWN",
      `Only a part of ${quoted(path)} was shown to you, so the whole file would lose the rest. Replace text in it, or ask to see all of it.`,
    );
  }
  const text = withLineEndsOf(opened.file.text, withoutByteOrderMark(edit.content));
  if (text === opened.file.text) return changesNothing(path, "the file is the same already");
  const put = putText(work.tree, path, { ...opened.file, text });
  if (isRefused(put)) return put;
  noteEdited(work.known, path, { ...put.file, is_written_whole: true });
  return { accepted: WITHOUT_SEARCH };
}

/** A new text for all of a file, with the line ends that its lines have; those of new lines follow their neighbors. */
function withLineEndsOf(before: string, after: string): string {
  if (!before.includes("\n")) return after;
  const place = { start: 0, end: before.length };
  return replacePlaces(before, [place], { search: before, replace: after, whole_lines: false }) ?? after;
}

async function deleteFile(path: string, edit: EditOf<"delete">, work: Work): Promise<Outcome> {
  const opened = await openShown(path, work);
  if (isRefused(opened)) return opened;
  if (edit.content !== undefined && !sameLines(edit.content, opened.file.text)) {
    return refuse(
      "EDIT_SEARCH_NOT_FOUND",
      `The lines that the deletion of ${quoted(path)} lists are not those of the file. List all of it as it is, or none of it.`,
    );
  }
  work.tree.edited.set(path, null);
  work.known.delete(path);
  return { accepted: WITHOUT_SEARCH };
}

function sameLines(left: string, right: string): boolean {
  const plain = (text: string) =>
    withoutTrailingBlanks(text.split("\n").map(withoutTrailingBlanks).join("\n"));
  return plain(withoutByteOrderMark(left)) === plain(right);
}

async function renameFile(path: string, new_path: string, work: Work): Promise<Outcome> {
  const opened = await openShown(path, work);
  if (isRefused(opened)) return opened;
  if (path === new_path) return changesNothing(path, "the new path is the old one");
  const refused = await refuseNewFile(work.tree, new_path);
  if (refused) return refused;
  work.tree.edited.set(path, null);
  work.tree.edited.set(new_path, opened.file);
  noteRenamed(work.known, path, new_path);
  return { accepted: WITHOUT_SEARCH };
}

function withoutByteOrderMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
