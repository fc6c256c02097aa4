/** The text files of a chosen folder. */
export interface PickedFiles {
  /** Path below the folder → text. */
  files: Record<string, string>;
  count: number;
  bytes: number;
  /** Paths of files that cannot travel in a submission: no UTF-8 text, or too much. */
  left_out: string[];
}

/** A body may have 6,000,000 bytes, and JSON spells out some characters. */
const BYTES_MAX = 5_000_000;
const FILES_MAX = 5_000;
const SKIPPED = /(^|\/)(node_modules|\.git)\//;

/** Reads the files of a folder that a person chose. What is skipped by habit (node_modules, .git) is not told. */
export async function pickFiles(chosen: Iterable<File>): Promise<PickedFiles> {
  const picked: PickedFiles = { files: {}, count: 0, bytes: 0, left_out: [] };
  for (const file of chosen) {
    const path = file.webkitRelativePath.split("/").slice(1).join("/") || file.name;
    if (SKIPPED.test(path)) continue;
    const text =
      picked.bytes + file.size > BYTES_MAX || picked.count >= FILES_MAX ? undefined : await textOf(file);
    if (text === undefined) {
      picked.left_out.push(path);
      continue;
    }
    picked.files[path] = text;
    picked.count += 1;
    picked.bytes += file.size;
  }
  return picked;
}

/** Undefined where the bytes are not UTF-8 text. */
async function textOf(file: Blob): Promise<string | undefined> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
