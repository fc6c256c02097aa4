import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { AgentContext } from "#lib/agents/agent/agent.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { isText } from "#lib/code/diff/text-lines.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { applyRule } from "./apply-rule.ts";
import { type CodemodRule, parseRules } from "./codemod-rules.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

const FILE_BYTES_MAX = 2 * 1024 * 1024;

interface Tally {
  matched: Map<string, number>;
  nested: Map<string, number>;
  skipped: string[];
}

/**
 * Applies ast-grep rules (https://ast-grep.github.io/reference/yaml.html) over the tree: to each
 * file of a rule's language, the rules in the order given, each on what the one before left.
 * Links, `node_modules` and `.git` are left alone.
 *
 * @throws RejectedInput `CODEMOD_RULES_INVALID`, `CODEMOD_LANGUAGE_UNSUPPORTED`,
 * `CODEMOD_NO_MATCH`, and `NO_REPAIR_LEFT` in a repair round: the same rules give the same tree
 */
export async function applyCodemod(
  { change, round, directory }: ProviderTask<"codemod">,
  context: Pick<AgentContext, "blobs" | "signal">,
): Promise<Provided> {
  if (round > 0) {
    throw new RejectedInput(
      "NO_REPAIR_LEFT",
      "A codemod has one try: its rules would give the same change again. Submit better rules.",
    );
  }
  const rules = parseRules(await context.blobs.readText(change.rules));
  const tally: Tally = { matched: new Map(rules.map(({ id }) => [id, 0])), nested: new Map(), skipped: [] };
  const tree = await readTree(directory);
  for (const path of [...tree.keys()].sort()) {
    context.signal.throwIfAborted();
    if (tree.get(path)?.mode === "120000" || path.split("/").includes("node_modules")) continue;
    const chosen = rules.filter((rule) => concerns(rule, path));
    if (chosen.length > 0) await rewriteFile(join(directory, path), path, chosen, tally);
  }
  if ([...tally.matched.values()].every((count) => count === 0)) throw noMatch(rules, tally);
  return { provider: "codemod", notes: notesOf(tally), rules_matched: Object.fromEntries(tally.matched) };
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
  if (bytes.length > FILE_BYTES_MAX || !isText(bytes)) {
    tally.skipped.push(path);
    return;
  }
  const before = bytes.toString("utf8");
  let text = before;
  for (const rule of rules) {
    const applied = applyRule(rule, text);
    text = applied.text;
    tally.matched.set(rule.id, (tally.matched.get(rule.id) ?? 0) + applied.matches);
    if (applied.nested > 0) tally.nested.set(rule.id, (tally.nested.get(rule.id) ?? 0) + applied.nested);
  }
  if (text !== before) await writeFile(absolute, text);
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

function skippedNote(tally: Tally): string {
  return `${tally.skipped.length} files not looked into: larger than ${FILE_BYTES_MAX} bytes or not UTF-8 text`;
}
