import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { applyEdits, NOTHING_SHOWN } from "#lib/code/edits/apply-edits.ts";
import { readEdits } from "#lib/code/edits/read-edits.ts";
import { showFile } from "#lib/code/edits/show-file.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";
import type { EditCase } from "./cases.ts";
import { aider, opencode, type Rules } from "./other-rules.ts";

/** What became of an edit: the bytes that were intended, other bytes, or none because it was refused. */
export type Result = "right" | "wrong" | "refused";

export interface CaseResult {
  case: EditCase;
  /** The same edit given as a tool call or its like, in the text form and as a unified diff. */
  ours: { form: string; result: Result; code?: string }[];
  aider: Result;
  opencode: Result;
}

/** Gives every case to the real applier, on a tree in a directory, and to the rules of the other tools. */
export async function runCases(cases: readonly EditCase[]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  await withTemporaryDirectory("bench-edits", async (directory) => {
    for (const [index, one] of cases.entries()) {
      const ours: CaseResult["ours"] = [];
      for (const [form, edits] of Object.entries(formsOf(one))) {
        const root = join(directory, `${index}-${form}`);
        ours.push({ form, ...(await applied(root, one, edits)) });
      }
      results.push({ case: one, ours, aider: byRules(aider, one), opencode: byRules(opencode, one) });
    }
  });
  return results;
}

function formsOf(one: EditCase): Record<string, AnsweredEdit[]> {
  const { path, search, replace, occurrences, whole_lines } = one;
  if (!whole_lines) return { tool: [{ kind: "replace", path, search, replace, occurrences }] };
  const stated = occurrences === 1 ? "" : ` occurrences=${occurrences}`;
  const block = `${path}\n<<<<<<< SEARCH${stated}\n${search}=======\n${replace}>>>>>>> REPLACE\n`;
  const forms: Record<string, AnsweredEdit[]> = { text: readEdits(`The edit:\n\n\`\`\`\n${block}\`\`\`\n`) };
  if (occurrences === 1) forms.diff = readEdits(diffOf(one));
  return forms;
}

/** The edit as a model writes a diff: all lines out and in again, with a bare `@@`. */
function diffOf({ path, search, replace }: EditCase): string {
  const signed = (sign: string, text: string) =>
    text === ""
      ? ""
      : `${text
          .slice(0, -1)
          .split("\n")
          .map((line) => sign + line)
          .join("\n")}\n`;
  return `\`\`\`diff\n--- a/${path}\n+++ b/${path}\n@@\n${signed("-", search)}${signed("+", replace)}\`\`\`\n`;
}

async function applied(
  root: string,
  { path, text, intended }: EditCase,
  edits: readonly AnsweredEdit[],
): Promise<{ result: Result; code?: string }> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  const shown = await showFile(root, path, NOTHING_SHOWN);
  if (shown.kind !== "shown") throw new Error(shown.message);
  const { refused } = await applyEdits(root, edits, shown.state);
  const after = await readFile(join(root, path));
  const [first] = refused;
  if (first === undefined) return { result: after.equals(Buffer.from(intended)) ? "right" : "wrong" };
  return { result: after.equals(Buffer.from(text)) ? "refused" : "wrong", code: first.code };
}

/** Line ends are left out of the comparison, in favor of the other tools. */
function byRules(rules: Rules, one: EditCase): Result {
  const plain = (text: string) => text.replaceAll("\r\n", "\n");
  const after = rules(plain(one.text), plain(one.search), plain(one.replace));
  if (after === undefined) return "refused";
  return after === plain(one.intended) ? "right" : "wrong";
}
