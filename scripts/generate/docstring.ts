import type { SgNode } from "@ast-grep/napi";

/** The text of the docstring right above a statement, on one line; "" when there is none. */
export function docstringAbove(statement: SgNode): string {
  const comment = statement.prev();
  if (comment?.kind() !== "comment" || !comment.text().startsWith("/**")) return "";
  return comment
    .text()
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .trim()
    .replace(/\s+/g, " ");
}
