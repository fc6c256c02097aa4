import type { FileTree, TreeEntry } from "./file-tree.ts";

type Random = () => number;

const pick = <Item>(items: readonly Item[], random: Random) =>
  items[Math.floor(random() * items.length)] as Item;
const MARKS = [" ", "-", "+", "\\", "@", "a/", "b/", "", "\r", "0", "1", "9", "\t", '"', "../", "/dev/null"];

/** The patch with one to three lines lost, doubled, swapped or changed. */
export function bendPatch(patch: Buffer, random: Random): Buffer {
  const lines = patch.toString("latin1").split("\n");
  const bends = 1 + Math.floor(random() * 3);
  for (let bend = 0; bend < bends; bend++) {
    const at = Math.floor(random() * lines.length);
    const line = lines[at] ?? "";
    const kind = Math.floor(random() * 7);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(at, 0, line);
    else if (kind === 2) lines.splice(at, 2, lines[at + 1] ?? "", line);
    else if (kind === 3) lines[at] = pick(MARKS, random) + line.slice(1);
    else if (kind === 4) lines[at] = line.replace(/\d+/, () => String(Math.floor(random() * 12)));
    else if (kind === 5) {
      const place = Math.floor(random() * (line.length + 1));
      lines[at] = line.slice(0, place) + pick(MARKS, random) + line.slice(place + Math.floor(random() * 2));
    } else bendHunkStart(lines, random);
  }
  return Buffer.from(lines.join("\n"), "latin1");
}

/** Another line number in a hunk's header: the hunk is to be found, or refused. */
function bendHunkStart(lines: string[], random: Random): void {
  const headers = lines.flatMap((line, index) => (line.startsWith("@@ -") ? [index] : []));
  if (headers.length === 0) return;
  const at = pick(headers, random);
  const shift = (digits: string) => String(Math.max(0, Number(digits) + Math.floor(random() * 9) - 4));
  lines[at] = (lines[at] ?? "").replace(/(?<=[-+])\d+/g, (digits) =>
    random() < 0.6 ? shift(digits) : digits,
  );
}

/** The tree with lines put in, taken out or doubled, so that hunks have moved or do not fit. */
export function bendTree(tree: FileTree, random: Random): FileTree {
  const bent: FileTree = new Map(tree);
  const paths = [...tree.keys()];
  const bends = 1 + Math.floor(random() * 3);
  for (let bend = 0; bend < bends; bend++) {
    const path = pick(paths, random);
    const entry = bent.get(path) as TreeEntry | undefined;
    if (entry === undefined || entry.mode === "120000") continue;
    const kind = Math.floor(random() * 6);
    const lines = entry.bytes.toString("latin1").match(/[^\n]*\n|[^\n]+$/g) ?? ([] as string[]);
    const at = Math.floor(random() * (lines.length + 1));
    if (kind === 0) lines.splice(at, 0, "put in\n");
    else if (kind === 1) lines.splice(at, 1);
    else if (kind === 2) lines.splice(at, 0, ...lines.slice(0, 12));
    else if (kind === 3) lines.push(...lines);
    else if (kind === 4) bent.delete(path);
    if (kind === 5) bent.set(path, { ...entry, mode: entry.mode === "100644" ? "100755" : "100644" });
    else if (kind !== 4) bent.set(path, { ...entry, bytes: Buffer.from(lines.join(""), "latin1") });
  }
  return bent;
}
