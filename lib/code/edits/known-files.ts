import { textLines } from "#lib/code/diff/file-diff.ts";
import type { EditState, KnownFile } from "#schemas/edits.ts";

/** What a model knows of the files, while one answer is worked on. */
export type KnownFiles = Map<string, KnownFile>;

export function knownFiles(state: EditState): KnownFiles {
  return new Map(state.files.map((file) => [file.path, file]));
}

export function editState(known: KnownFiles): EditState {
  return { files: [...known.values()] };
}

/** How many lines a model is told that a text has. */
function countLines(text: string): number {
  return textLines(text).length;
}

/**
 * Notes that a model saw lines of a file, whose whole text is given by its hash. What it saw of an
 * earlier version no longer counts.
 */
export function noteShown(
  known: KnownFiles,
  path: string,
  seen: { sha256: string; lines_total: number; lines: [number, number] | undefined },
): void {
  const before = known.get(path);
  const earlier = before?.sha256 === seen.sha256 ? before.lines_shown : [];
  known.set(path, {
    path,
    sha256: seen.sha256,
    lines_total: seen.lines_total,
    lines_shown: joinRanges(seen.lines === undefined ? earlier : [...earlier, seen.lines]),
    refusals: before?.refusals ?? 0,
  });
}

/**
 * Notes a file's text after an edit that was accepted. A model that knew all of it, or wrote all of it, still
 * does.
 */
export function noteEdited(
  known: KnownFiles,
  path: string,
  after: { sha256: string; text: string; is_written_whole: boolean },
): void {
  const before = known.get(path);
  const lines_total = countLines(after.text);
  const is_whole = after.is_written_whole || (before !== undefined && isWhollyShown(before));
  known.set(path, {
    path,
    sha256: after.sha256,
    lines_total,
    lines_shown: is_whole && lines_total > 0 ? [[1, lines_total]] : [],
    refusals: after.is_written_whole ? 0 : (before?.refusals ?? 0),
  });
}

/** Counts a refused edit of a file. */
export function noteRefused(known: KnownFiles, path: string): KnownFile {
  const before = known.get(path) ?? { path, sha256: null, lines_total: 0, lines_shown: [], refusals: 0 };
  const after = { ...before, refusals: before.refusals + 1 };
  known.set(path, after);
  return after;
}

export function noteRenamed(known: KnownFiles, path: string, new_path: string): void {
  const before = known.get(path);
  known.delete(path);
  if (before !== undefined) known.set(new_path, { ...before, path: new_path });
}

/** Whether every line of the file was shown, in one part or several. */
export function isWhollyShown({ sha256, lines_total, lines_shown }: KnownFile): boolean {
  if (sha256 === null) return false;
  const [first] = lines_shown;
  return lines_total === 0 || (first?.[0] === 1 && first[1] >= lines_total);
}

/** Ranges of lines in order, those that touch made one. */
function joinRanges(ranges: readonly [number, number][]): [number, number][] {
  const joined: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((left, right) => left[0] - right[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}
