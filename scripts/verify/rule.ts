import type { Tree } from "../tree/tree.ts";

/** One thing that must hold across files. */
export interface Rule {
  /** Kebab-case, as ARCHITECTURE.md may cite it. */
  name: string;
  /** A sentence per violation: where, what is wrong, and what to do. Empty when all is well. */
  check(tree: Tree): string[] | Promise<string[]>;
}
