import type { Tree } from "../tree/tree.ts";

/** One thing that must hold across files. */
export interface Rule {
  /** Kebab-case, as ARCHITECTURE.md may cite it. */
  name: string;
  /** A sentence per violation: where, what is wrong, and what to do. Empty when all is well. */
  check(tree: Tree): string[] | Promise<string[]>;
}

/** What a rule finds. A file it cannot read, such as a malformed serverless.yml, is a finding too. */
export async function findings(rule: Rule, tree: Tree): Promise<string[]> {
  try {
    return await rule.check(tree);
  } catch (error) {
    return [`could not be checked: ${error instanceof Error ? error.message : String(error)}`];
  }
}
