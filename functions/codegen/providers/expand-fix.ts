import type { SgNode } from "@ast-grep/napi";

const VARIABLE = /(\$\$\$|\$\$?)([A-Z_][A-Z0-9_]*)/g;

interface TemplateVariable {
  text: string;
  name: string;
  is_multiple: boolean;
}

/** The metavariables in a template or pattern: `$A`, `$$A` and `$$$ARGS`. */
export function templateVariables(template: string): TemplateVariable[] {
  return [...template.matchAll(VARIABLE)].map(([text, sigil, name = ""]) => ({
    text,
    name,
    is_multiple: sigil === "$$$",
  }));
}

/**
 * The text that takes a match's place. A captured part is the file's text, unchanged to the
 * letter, of `$$$ARGS` from the first node to the last with all that is between them. Lines of the
 * template after its first are indented like the line the match begins on, and end as the file's lines do.
 */
export function expandFix(template: string, match: SgNode, source: string): string {
  const indentation = indentationAt(source, match.range().start.index);
  const newline = source.includes("\r\n") ? "\r\n" : "\n";
  return template
    .replace(/\r?\n(?=[^\r\n])/g, `${newline}${indentation}`)
    .replace(VARIABLE, (_, sigil: string, name: string) => capturedText(match, sigil, name, source));
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

function indentationAt(source: string, index: number): string {
  const line_start = source.lastIndexOf("\n", index - 1) + 1;
  return /^[ \t]*/.exec(source.slice(line_start, index))?.[0] ?? "";
}
