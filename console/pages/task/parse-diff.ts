import { parsePatch, type StructuredPatch } from "diff";

export interface DiffLine {
  kind: "same" | "added" | "removed" | "hunk" | "note";
  old_line: number | undefined;
  new_line: number | undefined;
  text: string;
}

export interface DiffFile {
  path: string;
  /** The path before, where it is another. */
  old_path: string | undefined;
  kind: "changed" | "created" | "deleted" | "renamed" | "copied";
  added: number;
  removed: number;
  lines: DiffLine[];
}

/** The files of a unified diff with their lines. Throws Error when it is none. */
export function parseDiff(diff: string): DiffFile[] {
  return parsePatch(diff)
    .filter(({ oldFileName, newFileName }) => oldFileName !== undefined || newFileName !== undefined)
    .map(toFile);
}

const NOTHING = "/dev/null";

function toFile(patch: StructuredPatch): DiffFile {
  const [before, after] = [withoutPrefix(patch.oldFileName), withoutPrefix(patch.newFileName)];
  const path = after === NOTHING ? before : after;
  const lines = patch.hunks.flatMap(hunkLines);
  return {
    path,
    old_path: before !== NOTHING && before !== path ? before : undefined,
    kind: kindOf(patch, before, after),
    added: lines.filter(({ kind }) => kind === "added").length,
    removed: lines.filter(({ kind }) => kind === "removed").length,
    lines,
  };
}

function kindOf(patch: StructuredPatch, before: string, after: string): DiffFile["kind"] {
  if (patch.isCreate || before === NOTHING) return "created";
  if (patch.isDelete || after === NOTHING) return "deleted";
  if (patch.isCopy) return "copied";
  return patch.isRename || before !== after ? "renamed" : "changed";
}

function withoutPrefix(name = ""): string {
  return name.replace(/^[ab]\//, "");
}

function hunkLines({
  oldStart,
  oldLines,
  newStart,
  newLines,
  lines,
}: StructuredPatch["hunks"][number]): DiffLine[] {
  let [old_line, new_line] = [oldStart, newStart];
  const head = `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`;
  const shown: DiffLine[] = [{ kind: "hunk", old_line: undefined, new_line: undefined, text: head }];
  for (const line of lines) {
    const text = line.slice(1);
    const mark = line[0];
    if (mark === "+") shown.push({ kind: "added", old_line: undefined, new_line: new_line++, text });
    else if (mark === "-") shown.push({ kind: "removed", old_line: old_line++, new_line: undefined, text });
    else if (mark === "\\")
      shown.push({ kind: "note", old_line: undefined, new_line: undefined, text: line });
    else shown.push({ kind: "same", old_line: old_line++, new_line: new_line++, text });
  }
  return shown;
}
