import { posix } from "node:path";
import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";

const LINK = /\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g;
const ELSEWHERE = /^([a-z][a-z0-9+.-]*:|\/\/)/i;

/** Each relative link in a Markdown file leads to a file, a folder or a heading that exists. */
export const linksResolve: Rule = {
  name: "links-resolve",
  check(tree) {
    return tree.files
      .filter((path) => path.endsWith(".md") && !path.includes("/fixtures/"))
      .flatMap((page) =>
        [...withoutCode(tree.read(page)).matchAll(LINK)]
          .map(([, target = ""]) => target)
          .filter((target) => !ELSEWHERE.test(target) && !leads(tree, page, target))
          .map((target) => `${page}: the link to ${target} leads nowhere: correct it.`),
      );
  },
};

function leads(tree: Tree, page: string, target: string): boolean {
  const [path = "", anchor] = decodeURIComponent(target).split("#");
  const file = path === "" ? page : posix.join(posix.dirname(page), path).replace(/\/$/, "");
  if (!tree.has(file)) return file === "." || tree.files.some((other) => other.startsWith(`${file}/`));
  return !anchor || !file.endsWith(".md") || headings(tree.read(file)).has(anchor);
}

/** The anchors GitHub gives a page's headings; a repeated one gets -1, -2 and so on. */
function headings(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutFences(page).matchAll(/^#+ +(.+?)\s*#*$/gm)) {
    const base = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function withoutFences(page: string): string {
  return page.replace(/^(`{3,}|~{3,})[\s\S]*?^\1\s*$/gm, "");
}

function withoutCode(page: string): string {
  return withoutFences(page).replace(/`[^`\n]*`/g, "");
}
