import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { type CodemodRule, parseRules } from "#lib/code/codemod/codemod-rules.ts";
import { rewrite } from "#lib/code/codemod/rewrite.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { isText } from "#lib/code/diff/text-lines.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

interface Tally {
  matched: Map<string, number>;
  nested: Map<string, number>;
  skipped: string[];
  written_bytes: number;
  readonly limits: CodemodLimits;
}

export interface CodemodLimits {
  /** Larger files are not looked into, and no rule may make one larger. */
  rewritten_file_bytes_max: number;
  /** Bytes of all rewritten files together. */
  output_bytes_max: number;
}

/** What a codemod did. */
export interface AppliedCodemod {
  /** Markdown for a summary. */
  notes: string[];
  rules_matched: Record<string, number>;
}

/**
 * Applies ast-grep rules (https://ast-grep.github.io/reference/yaml.html) over the tree: to each
 * file of a rule's language, the rules in the order given, each on what the one before left.
 * Links, `node_modules` and `.git` are left alone.
 *
 * @throws RejectedInput `CODEMOD_RULES_INVALID`, `CODEMOD_LANGUAGE_UNSUPPORTED`, `CODEMOD_NO_MATCH`,
 *   `COMPUTATION_OUTPUT_LIMIT` when what the rules write outgrows its limit
 */
export async function applyCodemod(
  directory: string,
  rules_text: string,
  limits: CodemodLimits,
): Promise<AppliedCodemod> {
  const rules = parseRules(rules_text);
  const tally: Tally = {
    matched: new Map(rules.map(({ id }) => [id, 0])),
    nested: new Map(),
    skipped: [],
    written_bytes: 0,
    limits,
  };
  const tree = await readTree(directory);
  for (const path of [...tree.keys()].sort()) {
    if (tree.get(path)?.mode === "120000" || path.split("/").includes("node_modules")) continue;
    const chosen = rules.filter((rule) => concerns(rule, path));
    if (chosen.length > 0) await rewriteFile(join(directory, path), path, chosen, tally);
  }
  if ([...tally.matched.values()].every((count) => count === 0)) throw noMatch(rules, tally);
  return { notes: notesOf(tally), rules_matched: Object.fromEntries(tally.matched) };
}

function concerns(rule: CodemodRule, path: string): boolean {
  return (
    rule.language.extensions.includes(extname(path).toLowerCase()) &&
    (rule.files === undefined || rule.files.some((matches) => matches(path))) &&
    !rule.ignores.some((matches) => matches(path))
  );
}

async function rewriteFile(
  absolute: string,
  path: string,
  rules: readonly CodemodRule[],
  tally: Tally,
): Promise<void> {
  const bytes = await readFile(absolute);
  const { rewritten_file_bytes_max, output_bytes_max } = tally.limits;
  if (bytes.length > rewritten_file_bytes_max || !isText(bytes)) {
    tally.skipped.push(path);
    return;
  }
  const before = bytes.toString("utf8");
  let text = before;
  for (const rule of rules) {
    const applied = rewrite(rule, text, rewritten_file_bytes_max);
    text = applied.text;
    tally.matched.set(rule.id, (tally.matched.get(rule.id) ?? 0) + applied.matches);
    if (applied.nested > 0) tally.nested.set(rule.id, (tally.nested.get(rule.id) ?? 0) + applied.nested);
  }
  if (text === before) return;
  tally.written_bytes += Buffer.byteLength(text);
  if (tally.written_bytes > output_bytes_max) {
    throw new RejectedInput(
      "COMPUTATION_OUTPUT_LIMIT",
      `The rules write more than ${output_bytes_max} bytes in all (reached at ${JSON.stringify(path)}). Choose fewer files with the globs \`files\` and \`ignores\`.`,
    );
  }
  await writeFile(absolute, text);
}

function noMatch(rules: readonly CodemodRule[], tally: Tally): RejectedInput {
  const ids = rules.map(({ id }) => id).join(", ");
  const skipped = tally.skipped.length > 0 ? ` (${skippedNote(tally)})` : "";
  return new RejectedInput(
    "CODEMOD_NO_MATCH",
    `No rule (${ids}) matches anything in the source${skipped}. Check the patterns, the language and the files and ignores globs.`,
  );
}

function notesOf(tally: Tally): string[] {
  const rows = [...tally.matched].map(([id, count]) => `| ${id} | ${count} | ${tally.nested.get(id) ?? 0} |`);
  return [
    "| Rule | Matches rewritten | Inside another match, left |",
    "|---|---:|---:|",
    ...rows,
    ...(tally.skipped.length > 0 ? ["", `${skippedNote(tally)}.`] : []),
  ];
}

function skippedNote({ skipped, limits }: Tally): string {
  return `${skipped.length} files not looked into: larger than ${limits.rewritten_file_bytes_max} bytes or not UTF-8 text`;
}
