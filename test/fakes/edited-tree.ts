import { readTree } from "#lib/code/diff/read-tree.ts";
import { applyEdits, NOTHING_SHOWN } from "#lib/code/edits/apply-edits.ts";
import type { EditLimits } from "#lib/code/edits/edit-limits.ts";
import { showFile } from "#lib/code/edits/show-file.ts";
import type { AnsweredEdit, Edit, EditOutcome, EditState } from "#schemas/edits.ts";
import { inTree, type Links, type Texts } from "#test/fakes/diff-tree.ts";

/** An edit of the file `f` unless it says otherwise. */
export function replacing(
  search: string,
  replace: string,
  more: Partial<Extract<Edit, { kind: "replace" }>> = {},
): AnsweredEdit {
  return { kind: "replace", path: "f", search, replace, occurrences: 1, ...more };
}

/** Shows every file of a tree that can be shown. */
export async function showAll(directory: string): Promise<EditState> {
  let state = NOTHING_SHOWN;
  for (const path of (await readTree(directory)).keys()) {
    const shown = await showFile(directory, path, state, { lines_max: 1e9, characters_max: 1e9 });
    if (shown.kind === "shown") state = shown.state;
  }
  return state;
}

/** The bytes of every file of a directory as text, by path. */
export async function bytesByPath(directory: string): Promise<Record<string, string>> {
  const tree = await readTree(directory);
  return Object.fromEntries(
    [...tree].map(([path, file]) => [path, file.read().toString("latin1")]).sort() as [string, string][],
  );
}

/** Bytes of a text as `bytesByPath` has them. */
export function asBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Applies edits to a tree of which everything was shown. */
export async function edited(
  texts: Texts,
  edits: readonly AnsweredEdit[],
  { links = {}, limits }: { links?: Links; limits?: EditLimits } = {},
): Promise<{ tree: Record<string, string>; outcome: EditOutcome; codes: string[] }> {
  return inTree(
    texts,
    async (directory) => {
      const state = await showAll(directory);
      const outcome = await applyEdits(directory, edits, state, limits);
      const codes = outcome.refused.map(({ code }) => code);
      return { tree: await bytesByPath(directory), outcome, codes };
    },
    links,
  );
}

/** The file `f` after one edit of it, or the code with which that is refused; then nothing has changed. */
export async function editedFile(text: string | Buffer, edit: AnsweredEdit): Promise<string> {
  const { tree, codes } = await edited({ f: text }, [edit]);
  const [code] = codes;
  const after = Buffer.from(tree.f ?? "", "latin1");
  if (code === undefined) return after.toString("utf8");
  if (!after.equals(Buffer.from(text))) throw new Error(`a refused edit (${code}) changed the file`);
  return code;
}
