import type { Rule } from "./rule.ts";

const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
/** The agent and the table item that the recipes in CONTRIBUTING.md add. */
const RECIPE = /\b(review|notes)\b/;
const PATH = /^(?:[\w.-]+\/)+[\w.-]*$/;

/** Each file or folder that a page at the root names in backticks exists. Links are another rule's (links-resolve). */
export const pagesNameFiles: Rule = {
  name: "pages-name-files",
  check(tree) {
    const tops = new Set(tree.files.map((path) => path.split("/")[0]));
    const known = (path: string) =>
      tree.has(path) || tree.files.some((file) => file.startsWith(path.endsWith("/") ? path : `${path}/`));
    return PAGES.filter((page) => tree.has(page)).flatMap((page) => {
      const text = tree.read(page).replace(/^```[\s\S]*?^```/gm, "");
      const named = [...text.matchAll(/`([^`\n]+)`/g)].map(([, token = ""]) => token);
      const paths = new Set(
        named.filter((token) => PATH.test(token) && !RECIPE.test(token) && !token.startsWith("..")),
      );
      return [...paths]
        .filter((path) => (tops.has(path.split("/")[0] ?? "") || path.endsWith("/")) && !known(path))
        .map((path) => `${page} names ${path}, which does not exist.`);
    });
  },
};
