import { parse } from "@ast-grep/napi";
import type { CodemodRule } from "./codemod-rules.ts";
import { expandFix } from "./expand-fix.ts";

interface Applied {
  text: string;
  /** Matches that were rewritten. */
  matches: number;
  /** Matches inside a rewritten one; they are left as they are. */
  nested: number;
}

/**
 * Rewrites every match of a rule in one text. Of matches that overlap, the one that begins first
 * and among those the longest is rewritten; what lies inside it stays.
 */
export function applyRule(rule: CodemodRule, text: string): Applied {
  const matches = parse(rule.language.name, text)
    .root()
    .findAll(rule.matcher)
    .map((node) => ({ node, start: node.range().start.index, end: node.range().end.index }))
    .sort((left, right) => left.start - right.start || right.end - left.end);
  const applied = { matches: 0, nested: 0 };
  const pieces: string[] = [];
  let copied = 0;
  for (const { node, start, end } of matches) {
    if (start < copied) {
      applied.nested += 1;
      continue;
    }
    pieces.push(text.slice(copied, start), expandFix(rule.fix, node, text));
    copied = end;
    applied.matches += 1;
  }
  return { text: pieces.join("") + text.slice(copied), ...applied };
}
