import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { parse, type SgNode } from "@ast-grep/napi";
import { type CodemodRule, parseRules, VARIABLE } from "#lib/code/codemod/codemod-rules.ts";
import { isText } from "#lib/code/diff/file-diff.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

interface Tally {
  matched: Map<string, number>;
  nested: Map<string, number>;
  skipped: string[];
  written_bytes: number;
  readonly limits: CodemodLimits;
}

export interface CodemodLimits {
  /** Larger files are skipped, and no rule may make a file larger. */
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
 * Applies ast-grep rules (https://ast-grep.github.io/reference/yaml.html) to all files of a tree that have the
 * rule's language. Rules run in the order given, each on the result of the one before.
 * Links, `node_modules` and `.git` are skipped.
 *
 * @throws RejectedInput `CODEMOD_RULES_INVALID`, `CODEMOD_LANGUAGE_UNSUPPORTED`, `CODEMOD_NO_MATCH`,
 *   `COMPUTATION_OUTPUT_LIMIT` when the rules write too many bytes
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
    const chosen = rules.filter((rule) => appliesTo(rule, path));
    if (chosen.length > 0) await rewriteFile(join(directory, path), path, chosen, tally);
  }
  if ([...tally.matched.values()].every((count) => count === 0)) throw noMatch(rules, tally);
  return { notes: notesOf(tally), rules_matched: Object.fromEntries(tally.matched) };
}

function appliesTo(rule: CodemodRule, path: string): boolean {
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

interface Rewritten {
  text: string;
  /** Matches that were rewritten. */
  matches: number;
  /** Matches inside a rewritten one; they are left as they are. */
  nested: number;
}

/**
 * Rewrites every match of a rule in one text. Of overlapping matches the one that starts first is rewritten,
 * and of those the longest; matches inside it are left.
 *
 * @throws RejectedInput `COMPUTATION_OUTPUT_LIMIT` as soon as the text becomes longer than
 *   `characters_max`, because rules that double a text would need unlimited memory
 */
function rewrite(rule: CodemodRule, text: string, characters_max: number): Rewritten {
  const matches = parse(rule.language.name, text)
    .root()
    .findAll(rule.matcher)
    .map((node) => ({ node, ...rewrittenRange(node, rule) }))
    .sort((left, right) => left.start - right.start || right.end - left.end);
  const applied = { matches: 0, nested: 0 };
  const template = templateFor(rule, text);
  const pieces: string[] = [];
  let copied = 0;
  let characters = text.length;
  for (const { node, start, end } of matches) {
    if (start < copied) {
      applied.nested += 1;
      continue;
    }
    const replacement = template(node);
    characters += replacement.length - (end - start);
    if (characters > characters_max) throw tooLong(rule.id, characters_max);
    pieces.push(text.slice(copied, start), replacement);
    copied = end;
    applied.matches += 1;
  }
  return { text: pieces.join("") + text.slice(copied), ...applied };
}

function rewrittenRange(node: SgNode, { fix }: CodemodRule): { start: number; end: number } {
  const { start, end } = node.range();
  const before = fix.expand_start && expandedTo(fix.expand_start, node.prev(), () => node.prevAll());
  const after = fix.expand_end && expandedTo(fix.expand_end, node.next(), () => node.nextAll());
  return { start: before?.range().start.index ?? start.index, end: after?.range().end.index ?? end.index };
}

function expandedTo(
  { matcher, stop_by }: NonNullable<CodemodRule["fix"]["expand_end"]>,
  neighbor: SgNode | null,
  all: () => SgNode[],
): SgNode | undefined {
  const candidates = stop_by === "end" ? all() : neighbor ? [neighbor] : [];
  return candidates.find((candidate) => candidate.matches(matcher));
}

/**
 * Makes a function that gives the replacement of a match; call it in text order. A captured part is the file's
 * text, unchanged; for `$$$ARGS` from the first node to the last with everything between
 * them. Lines of the template after its first are indented like the line the match starts on, and use the
 * file's line endings.
 */
function templateFor({ fix }: CodemodRule, source: string): (match: SgNode) => string {
  const newline = source.includes("\r\n") ? "\r\n" : "\n";
  const lines = fix.template.split(/\r?\n/);
  let line_start = 0;
  let line_end = source.indexOf("\n");
  return (match) => {
    const { index } = match.range().start;
    // Each line end is searched once, even when a line has many matches.
    while (line_end >= 0 && line_end < index) {
      line_start = line_end + 1;
      line_end = source.indexOf("\n", line_start);
    }
    const begun = index < line_start ? source.lastIndexOf("\n", index - 1) + 1 : line_start;
    const indentation = indentationAt(source, begun, index);
    return lines
      .map((line, place) => (place === 0 ? line : newline + (line === "" ? "" : indentation) + line))
      .join("")
      .replace(VARIABLE, (_, sigil: string, name: string) => capturedText(match, sigil, name, source));
  };
}

function capturedText(match: SgNode, sigil: string, name: string, source: string): string {
  if (sigil === "$$$") {
    const nodes = match.getMultipleMatches(name);
    const first = nodes[0];
    const last = nodes.at(-1);
    return first && last ? source.slice(first.range().start.index, last.range().end.index) : "";
  }
  const node = match.getMatch(name);
  if (node === null) return match.getTransformed(name) ?? "";
  const { start, end } = node.range();
  return source.slice(start.index, end.index);
}

function indentationAt(source: string, line_start: number, index: number): string {
  let end = line_start;
  while (end < index && (source.charAt(end) === " " || source.charAt(end) === "\t")) end += 1;
  return source.slice(line_start, end);
}

function tooLong(rule_id: string, characters_max: number): RejectedInput {
  return new RejectedInput(
    "COMPUTATION_OUTPUT_LIMIT",
    `Rule ${rule_id} makes a file longer than ${characters_max} characters. Each rule works on the result of the one before, so a rule that repeats its match doubles the file each time.`,
  );
}
