import type { Rule } from "./rule.ts";

const PAGE = "docs/threat-model.md";
const TEST_FILE = /^[\w./-]+\.test\.ts$/;

/** Each row of a boundary's table in docs/threat-model.md names at least one test, and every test it names exists. */
export const threatsNameTests: Rule = {
  name: "threats-name-tests",
  check(tree) {
    if (!tree.has(PAGE)) return [];
    const [, section = ""] = tree.read(PAGE).split(/^## Boundaries$/m);
    const [boundaries = ""] = section.split(/^## /m);
    const rows = boundaries.split("\n").filter((line) => /^\| (?!Threat \|)/.test(line));
    if (rows.length === 0) return [`${PAGE}: list the threats below a heading "Boundaries".`];
    return rows.flatMap((row) => {
      const tests = [...row.matchAll(/`([^`]+)`/g)]
        .map(([, token = ""]) => token)
        .filter((token) => TEST_FILE.test(token));
      const threat = row.split("|")[1]?.trim();
      if (tests.length === 0) return [`${PAGE}: "${threat}" names no test.`];
      return tests
        .filter((path) => !tree.has(path))
        .map((path) => `${PAGE}: "${threat}" names ${path}, which does not exist.`);
    });
  },
};
