import { parse, type SgNode } from "@ast-grep/napi";
import type { CodemodRule } from "#lib/code/codemod/codemod-rules.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

interface Rewritten {
  text: string;
  /** Matches that were rewritten. */
  matches: number;
  /** Matches inside a rewritten one; they are left as they are. */
  nested: number;
}

/**
 * Rewrites every match of a rule in one text. Of matches that overlap, the one that begins first
 * and among those the longest is rewritten; what lies inside it stays.
 *
 * @throws RejectedInput `COMPUTATION_OUTPUT_LIMIT` as soon as the text becomes longer than
 *   `characters_max`: rules that double a text would take any memory
 */
export function rewrite(rule: CodemodRule, text: string, characters_max: number): Rewritten {
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

const VARIABLE = /(\$\$\$|\$\$?)([A-Z_][A-Z0-9_]*)/g;

interface TemplateVariable {
  text: string;
  name: string;
}

/** The metavariables in a template or pattern: `$A`, `$$A` and `$$$ARGS`. */
export function templateVariables(template: string): TemplateVariable[] {
  return [...template.matchAll(VARIABLE)].map(([text, , name = ""]) => ({ text, name }));
}

/**
 * Gives the text that takes a match's place; ask in the order of the text. A captured part is the file's
 * text, unchanged to the letter, of `$$$ARGS` from the first node to the last with all that is between
 * them. Lines of the template after its first are indented like the line the match begins on, and end as
 * the file's lines do.
 */
function templateFor({ fix }: CodemodRule, source: string): (match: SgNode) => string {
  const newline = source.includes("\r\n") ? "\r\n" : "\n";
  const lines = fix.template.split(/\r?\n/);
  let line_start = 0;
  let line_end = source.indexOf("\n");
  return (match) => {
    const { index } = match.range().start;
    // The ends of lines are looked for once, however many matches a line has.
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
    `Rule ${rule_id} makes a file longer than ${characters_max} characters. Rules are applied one after the other, so one that repeats what it matches doubles the file each time.`,
  );
}
