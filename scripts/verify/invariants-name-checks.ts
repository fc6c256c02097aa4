import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";

const PAGE = "ARCHITECTURE.md";
const CHECK = "scripts/check.ts";
const TEST_FILE = /^[\w./-]+\.test\.ts$/;

/**
 * Each numbered item below the heading "Invariants" of ARCHITECTURE.md names, in backticks, what
 * holds it: a test file, a script that `npm run check` runs, a rule of `npm run verify`, or a Biome
 * rule that biome.json turns on.
 */
export function invariantsNameChecks(ruleNames: readonly string[]): Rule {
  return {
    name: "invariants-name-checks",
    check(tree) {
      if (!tree.has(PAGE)) return [];
      const items = invariants(tree.read(PAGE));
      if (items.length === 0) {
        return [`${PAGE}: number the invariants below a heading "Invariants", each with its check.`];
      }
      const rules = new Set([
        ...ruleNames,
        "invariants-name-checks",
        ...biomeRules(tree),
        ...checkScripts(tree),
      ]);
      return items.flatMap(({ number, text }) => {
        const named = [...text.matchAll(/`([^`]+)`/g)].map(([, token = ""]) => token);
        const tests = named.filter((token) => TEST_FILE.test(token));
        return [
          ...tests
            .filter((path) => !tree.has(path))
            .map((path) => `${PAGE}: invariant ${number} names ${path}, which does not exist.`),
          ...(tests.length > 0 || named.some((token) => rules.has(token))
            ? []
            : [`${PAGE}: invariant ${number} names no check: add \`path/to/x.test.ts\` or a rule's name.`]),
        ];
      });
    },
  };
}

interface Invariant {
  number: string;
  text: string;
}

function invariants(page: string): Invariant[] {
  const [, section = ""] = page.split(/^#+ .*\binvariants\b.*$/im);
  const [body = ""] = section.split(/^#+ /m);
  return body.split(/^(?=\d+\. )/m).flatMap((text) => {
    const number = /^(\d+)\. /.exec(text)?.[1];
    return number ? [{ number, text }] : [];
  });
}

function checkScripts(tree: Tree): string[] {
  if (!tree.has(CHECK)) return [];
  return [...tree.read(CHECK).matchAll(/\bscripts\/[a-z-]+\.ts\b/g)].map(([path]) => path);
}

function biomeRules(tree: Tree): string[] {
  if (!tree.has("biome.json")) return [];
  return [...tree.read("biome.json").matchAll(/"((?:no|use)[A-Z]\w+)":/g)].map(([, name = ""]) => name);
}
