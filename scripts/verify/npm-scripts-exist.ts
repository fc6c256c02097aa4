import type { Rule } from "./rule.ts";

const PAGES = /^(README|CONTRIBUTING|ARCHITECTURE)\.md$|^docs\/.+\.md$/;
const NAMED = /\bnpm (?:run (?:-s |--silent )?([a-z][a-z0-9:_-]*)|(test|start)\b)/g;

/** Each npm script the documentation tells someone to run is in package.json. */
export const npmScriptsExist: Rule = {
  name: "npm-scripts-exist",
  check(tree) {
    if (!tree.has("package.json")) return [];
    const { scripts = {} } = JSON.parse(tree.read("package.json")) as { scripts?: Record<string, string> };
    return tree.files
      .filter((path) => PAGES.test(path))
      .flatMap((path) => {
        const named = [...tree.read(path).matchAll(NAMED)].map(([, run, short]) => run ?? short ?? "");
        return [...new Set(named)]
          .filter((name) => !(name in scripts))
          .map(
            (name) =>
              `${path} names the npm script ${name}, which package.json lacks: add it or correct the page.`,
          );
      });
  },
};
