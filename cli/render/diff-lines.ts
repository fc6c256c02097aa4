import { shownText } from "#lib/code/diff/file-diff.ts";
import type { Paint } from "./paint.ts";

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/**
 * The lines of a patch in colours. Which of them are of a hunk, its header counts: a deleted line may look like a
 * header of a file. Of binary data only its size is shown; a carriage return only where a line is changed.
 */
export function diffLines(bytes: Uint8Array, paint: Paint): string[] {
  const text = Buffer.from(bytes).toString("latin1");
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const shown: string[] = [];
  let before = 0;
  let after = 0;
  let binary = false;
  for (const line of lines) {
    if (before > 0 || after > 0) {
      const sign = line.charAt(0);
      if (sign !== "+" && sign !== "\\") before -= 1;
      if (sign !== "-" && sign !== "\\") after -= 1;
      shown.push(hunkLine(line, paint));
      continue;
    }
    const hunk = HUNK.exec(line);
    if (hunk) {
      [before, after] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
      const header = hunk[0];
      shown.push(`${paint.cyan(header)}${shownText(line.slice(header.length))}`);
    } else if (/^(?:literal|delta) \d+$/.test(line)) {
      binary = true;
      shown.push(paint.dim(`${line} bytes, not shown`));
    } else if (line.startsWith("diff --git ") || (line !== "" && !binary)) {
      binary = false;
      shown.push(line.startsWith("\\") ? paint.dim(line) : paint.bold(shownText(line)));
    }
  }
  return shown;
}

function hunkLine(line: string, paint: Paint): string {
  const text = shownText(line);
  if (text.startsWith("+")) return paint.green(text);
  if (text.startsWith("-")) return paint.red(text);
  return text.startsWith("\\") ? paint.dim(text) : text.replace(/\r$/, "");
}
