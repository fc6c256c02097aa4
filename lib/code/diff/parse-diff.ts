import { parseBinary } from "#lib/code/diff/binary-patch.ts";
import { type PathOptions, stripParts, treePath } from "#lib/code/diff/diff-path.ts";
import {
  binaryMissing,
  type FileDiff,
  formatUnsupported,
  malformed,
  pathOf,
  shownText,
  tooLarge,
} from "#lib/code/diff/file-diff.ts";
import {
  type FileHeader,
  headerName,
  parseGitHeader,
  parsePlainHeader,
} from "#lib/code/diff/parse-header.ts";
import { type DiffCursor, parseHunks } from "#lib/code/diff/parse-hunks.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

type ParsedFile = FileHeader & Pick<FileDiff, "hunks" | "binary">;

const DIFF_BYTES_MAX = 64 * 1024 * 1024;
const STRIP_HINT_MAX = 10;
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/**
 * Parses a unified diff as git, `diff -u`, Subversion or Mercurial write it, alone or in mails.
 * Bytes stay bytes: lines are kept as Latin-1 text. Words before a file's header, such as a commit
 * message, are skipped; within hunks every line must be accounted for.
 *
 * @param diff bytes, or text that is taken as UTF-8
 * @returns the file diffs of each mail of a series, or of the whole diff as one
 * @throws RejectedInput `DIFF_EMPTY`, `DIFF_TOO_LARGE`, `DIFF_MALFORMED` (with the line),
 * `DIFF_FORMAT_UNSUPPORTED`, `DIFF_BINARY_UNSUPPORTED`, `DIFF_STRIP_UNCLEAR`,
 * `DIFF_PATH_UNSAFE` (absolute, `..`, in `.git`, not UTF-8)
 */
export function parseDiff(diff: Uint8Array | string, options: PathOptions = {}): FileDiff[][] {
  const lines = diffLines(diff);
  const is_cut = lines.at(-1) !== "";
  if (!is_cut) lines.pop();
  const cursor: DiffCursor = { lines, is_cut, index: 0 };
  const mails: ParsedFile[][] = [[]];
  while (cursor.index < lines.length) {
    if (beginsMail(cursor)) mails.push([]);
    const file = parseFile(cursor, options.strip);
    if (file !== undefined) mails.at(-1)?.push(file);
  }
  const series = mails.filter((files) => files.length > 0);
  if (series.length === 0) throw noHeader(lines);
  const strip = commonStrip(series.flat(), options.strip);
  return series.map((files) => files.map((file) => fileDiff(file, strip, options)));
}

function diffLines(diff: Uint8Array | string): string[] {
  const bytes = typeof diff === "string" ? Buffer.from(diff) : diff;
  if (bytes.length > DIFF_BYTES_MAX) throw tooLarge(`The diff has more than ${DIFF_BYTES_MAX} bytes`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  if (!/\S/.test(text)) {
    throw new RejectedInput("DIFF_EMPTY", "The diff is empty. Send the output of `git diff`.");
  }
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) {
    const advice = "write it with `git diff --output=<file>`";
    throw formatUnsupported(1, `it is UTF-16, as \`>\` in PowerShell makes it; ${advice}`);
  }
  return text.split("\n");
}

/** The file at the cursor, or undefined after one line that belongs to none. */
function parseFile(cursor: DiffCursor, strip: number | undefined): ParsedFile | undefined {
  const text = cursor.lines[cursor.index] ?? "";
  const next = cursor.lines[cursor.index + 1] ?? "";
  const is_git = text.startsWith("diff --git ");
  if (!is_git && !(text.startsWith("--- ") && next.startsWith("+++ "))) {
    checkSkipped(text, next, cursor.index + 1);
    cursor.index += 1;
    return undefined;
  }
  const header = is_git ? parseGitHeader(cursor, strip) : parsePlainHeader(cursor);
  if (header.has_names) return { ...header, hunks: parseHunks(cursor) };
  const is_binary = cursor.lines[cursor.index] === "GIT binary patch";
  return { ...header, hunks: [], ...(is_binary ? { binary: parseBinary(cursor) } : {}) };
}

/** Whether a mail of an mbox, or a changeset of Mercurial, begins here: each is applied after the one before. */
function beginsMail({ lines, index }: DiffCursor): boolean {
  const text = lines[index] ?? "";
  if (text === "# HG changeset patch") return true;
  return /^From \S+ .*\d{4}\r?$/.test(text) && /^>?[A-Za-z][A-Za-z-]*:? /.test(lines[index + 1] ?? "");
}

/** @throws RejectedInput for a skipped line that says something of a file, which would be lost */
function checkSkipped(text: string, next: string, line: number): void {
  if (text.startsWith("@@ -")) throw malformed(line, "a hunk without a file header");
  const binary = /^Binary files? (.*) (?:differ|has changed)$/.exec(text)?.[1];
  if (binary !== undefined) throw binaryMissing(shownText(binary));
  if (text === "GIT binary patch" || text.startsWith("Cannot display: file marked as a binary")) {
    throw binaryMissing("a file");
  }
  if (/^content-transfer-encoding: *(?:quoted-printable|base64)/i.test(text)) {
    const advice = "decode it with `git mailinfo msg fix.patch < mail`";
    throw formatUnsupported(line, `the mail is encoded (${text.trim()}); ${advice}`);
  }
  if (text.startsWith("*** ") && next.startsWith("--- ")) {
    throw formatUnsupported(line, "it is a context diff (`diff -c`)");
  }
  if (/^diff --(?:cc|combined) /.test(text)) {
    throw formatUnsupported(line, "it is the combined diff of a merge; diff against one parent");
  }
  if (
    text.startsWith(`${BYTE_ORDER_MARK}---`) ||
    (text.startsWith(`${BYTE_ORDER_MARK}diff`) && !/^(?:index|---) /.test(next))
  ) {
    throw malformed(line, "a byte order mark hides the first header");
  }
}

function noHeader(lines: readonly string[]): RejectedInput {
  const at = lines.findIndex((text) => /^\d+(?:,\d+)?[acd](?:\d+(?:,\d+)?)?$/.test(text));
  if (at >= 0) return formatUnsupported(at + 1, "it is a diff without names and context, or an ed script");
  const only_in = lines.findIndex((text) => /^Only in .*: /.test(text));
  if (only_in >= 0) return malformed(only_in + 1, "a new file's content is missing; use `diff -ruN`");
  return malformed(1, "no file header (`diff --git`, or `---` and `+++`) is found");
}

/**
 * How many parts to take off a name that has no other to compare it with. What the other files of
 * the diff show counts; a file that the diff makes shows nothing.
 *
 * @throws RejectedInput `DIFF_STRIP_UNCLEAR` when some of them have prefixes and others have none
 */
function commonStrip(files: readonly ParsedFile[], given: number | undefined): number | undefined {
  if (given !== undefined) return given;
  const seen = new Set<number>();
  for (const file of files) {
    if (isNew(file) || isMoved(file) || file.before === null || file.after === null) continue;
    const found = headerName(file, undefined);
    if (found !== undefined) seen.add(found.strip);
  }
  if (seen.size > 1) {
    throw new RejectedInput(
      "DIFF_STRIP_UNCLEAR",
      "Some names in the diff have a prefix such as `a/`, and others have none. Make one diff of all with `git diff`.",
    );
  }
  return seen.size === 1 ? [...seen][0] : undefined;
}

function isNew({ kind, is_git, hunks }: ParsedFile): boolean {
  return kind === "added" || (kind === "modified" && !is_git && mayBeMissing(hunks));
}

function isMoved({ kind }: ParsedFile): boolean {
  return kind === "renamed" || kind === "copied";
}

function mayBeMissing(hunks: FileDiff["hunks"]): boolean {
  return hunks.length === 1 && hunks[0]?.before_count === 0 && hunks[0].before_start === 0;
}

function fileDiff(file: ParsedFile, common: number | undefined, options: PathOptions): FileDiff {
  const { kind, before_mode, after_mode, index, hunks, binary } = file;
  const made: FileDiff = {
    kind,
    ...pathsOf(file, common, options),
    ...(before_mode ? { before_mode } : {}),
    ...(after_mode ? { after_mode } : {}),
    ...(index ? { index } : {}),
    hunks,
    ...(binary ? { binary } : {}),
    ...(!file.is_git && kind === "modified" && mayBeMissing(hunks) ? { may_be_missing: true } : {}),
  };
  checkHunks(made, file.line);
  return made;
}

function pathsOf(
  file: ParsedFile,
  common: number | undefined,
  { strip, directory }: PathOptions,
): Pick<FileDiff, "before_path" | "after_path" | "unprefixed"> {
  if (isMoved(file)) {
    const pathOfName = (name: string) => {
      const stripped = stripParts(name, Math.max(0, (strip ?? 1) - 1));
      if (stripped === undefined) throw tooFewParts(file.line, strip ?? 1);
      return treePath(stripped, directory);
    };
    return { before_path: pathOfName(file.before ?? ""), after_path: pathOfName(file.after ?? "") };
  }
  const found =
    headerName(file, strip) ??
    (strip === undefined ? headerName(file, oneName(file) ? common : undefined) : undefined);
  if (found === undefined) {
    if (strip !== undefined) throw tooFewParts(file.line, strip);
    if (oneName(file)) {
      const name = file.before ?? file.after ?? "";
      if (name.startsWith("/")) treePath(name, directory); // says that it is absolute
      throw stripUnclear(name);
    }
    throw malformed(file.line, `the names after \`---\` and \`+++\` differ${stripHint(file)}`);
  }
  if (strip === undefined && found.name.startsWith("/")) treePath(found.name, directory); // says that it is absolute
  const is_unprefixed = strip === undefined && found.strip === 0 && found.name.includes("/");
  if (is_unprefixed && isNew(file) && common !== 0) throw stripUnclear(found.name);
  const path = treePath(found.name, directory);
  return {
    before_path: file.kind === "added" ? null : path,
    after_path: file.kind === "deleted" ? null : path,
    ...(is_unprefixed ? { unprefixed: true } : {}),
  };
}

function stripHint(file: ParsedFile): string {
  for (let strip = 1; strip <= STRIP_HINT_MAX; strip++) {
    const found = headerName({ ...file, is_git: true }, strip);
    if (found !== undefined)
      return `; with --strip ${strip} both are ${JSON.stringify(shownText(found.name))}`;
  }
  return "";
}

function oneName({ before, after }: ParsedFile): boolean {
  return before === null || after === null;
}

function tooFewParts(line: number, strip: number): RejectedInput {
  return new RejectedInput(
    "DIFF_STRIP_UNCLEAR",
    `Line ${line} of the diff: with ${strip} parts taken off (--strip, \`strip\` in the API), the names name no one file. Give a smaller number.`,
  );
}

function stripUnclear(name: string): RejectedInput {
  const shown = JSON.stringify(shownText(name));
  const shorter = JSON.stringify(shownText(name.slice(name.indexOf("/") + 1)));
  return new RejectedInput(
    "DIFF_STRIP_UNCLEAR",
    `The diff does not show whether ${shown} is the whole path or has a prefix. Add --strip 0 (\`strip\` in the API) for ${shown}, or --strip 1 for ${shorter}.`,
  );
}

/** @throws RejectedInput `DIFF_MALFORMED` when the hunks cannot be what the file's header says */
function checkHunks(file: FileDiff, line: number): void {
  const others = file.hunks.map((hunk) =>
    file.kind === "added" ? hunk.before_count : file.kind === "deleted" ? hunk.after_count : 0,
  );
  const is_whole = file.kind === "added" || file.kind === "deleted";
  if (others.some((count) => count > 0) || (is_whole && others.length > 1)) {
    throw malformed(line, `a file that is ${file.kind} has one hunk, with nothing on its other side`);
  }
  const { before_mode, after_mode } = file;
  const mode_changes = before_mode !== undefined && after_mode !== undefined && before_mode !== after_mode;
  if (file.kind === "modified" && file.hunks.length === 0 && !file.binary && !mode_changes) {
    throw malformed(line, "the file's header is followed by no change");
  }
  if (isMovedOntoItself(file)) throw malformed(line, `${pathOf(file)} is ${file.kind} onto itself`);
}

function isMovedOntoItself(file: FileDiff): boolean {
  return (file.kind === "renamed" || file.kind === "copied") && file.before_path === file.after_path;
}
