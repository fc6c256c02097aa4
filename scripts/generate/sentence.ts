import type { SgNode } from "@ast-grep/napi";

const FRAGMENTS = new Set(["string_fragment", "escape_sequence"]);

/** The text of a plain string literal, else undefined. */
export function stringValue(node: SgNode): string | undefined {
  if (node.kind() !== "string") return undefined;
  return node
    .children()
    .filter((child) => FRAGMENTS.has(String(child.kind())))
    .map((child) => unescaped(child.text()))
    .join("");
}

/** A string, template or concatenation as a person reads it, values as `<name>`; "" for anything else. */
export function sentenceOf(node: SgNode): string {
  const plain = stringValue(node);
  if (plain !== undefined) return plain;
  if (node.kind() === "template_string") {
    return node
      .children()
      .filter((child) => child.isNamed())
      .map((child) =>
        FRAGMENTS.has(String(child.kind())) ? unescaped(child.text()) : `<${lastName(child)}>`,
      )
      .join("");
  }
  const sides = [node.field("left"), node.field("right")];
  if (node.kind() !== "binary_expression" || !sides.some((side) => side && sentenceOf(side))) return "";
  return sides.map((side) => (side ? sentenceOf(side) || `<${lastName(side)}>` : "")).join("");
}

/** `${response.status}` → `status`: the last name in an expression says most about it. */
function lastName(expression: SgNode): string {
  return (
    expression
      .text()
      .match(/[A-Za-z_$][\w$]*/g)
      ?.at(-1) ?? "value"
  );
}

function unescaped(text: string): string {
  return text.replace(/\\n/g, " ").replace(/\\(.)/g, "$1");
}
