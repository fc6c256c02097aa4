import type { SgNode } from "@ast-grep/napi";

const FRAGMENTS = new Set(["string_fragment", "escape_sequence"]);
const NAMED = new Set(["identifier", "member_expression", "call_expression"]);
const CONSTANTS_DEPTH_MAX = 3;

/** The text of a plain string literal, else undefined. */
export function stringValue(node: SgNode): string | undefined {
  if (node.kind() !== "string") return undefined;
  return node
    .children()
    .filter((child) => FRAGMENTS.has(String(child.kind())))
    .map((child) => unescaped(child.text()))
    .join("");
}

/**
 * A string, template, concatenation, or the constant that holds one, as a person reads it, with
 * values as `<name>`; "" for anything else.
 */
export function sentenceOf(node: SgNode, depth = 0): string {
  if (depth > CONSTANTS_DEPTH_MAX) return "";
  const plain = stringValue(node);
  if (plain !== undefined) return plain;
  if (node.kind() === "identifier") {
    const value = constantBefore(node);
    return value ? sentenceOf(value, depth + 1) : "";
  }
  if (node.kind() === "template_string") {
    return node
      .children()
      .filter((child) => child.isNamed())
      .map((child) =>
        FRAGMENTS.has(String(child.kind())) ? unescaped(child.text()) : filledIn(child, depth),
      )
      .join("");
  }
  if (node.kind() !== "binary_expression") return "";
  const sides = [node.field("left"), node.field("right")].filter((side) => side !== null);
  const said = sides.map((side) => sentenceOf(side, depth + 1));
  if (node.field("operator")?.text() !== "+" || said.every((text) => text === "")) return said.join("");
  return sides.map((side, index) => said[index] || `<${nameOf(side)}>`).join("");
}

/** What stands for `${expression}`: the sentence a constant holds, or the expression's name. */
function filledIn(substitution: SgNode, depth: number): string {
  const expression = substitution.children().find((child) => child.isNamed());
  if (!expression) return "";
  return sentenceOf(expression, depth + 1) || `<${nameOf(expression)}>`;
}

/** The value of the `const` with this name that is declared last before its use. */
function constantBefore(identifier: SgNode): SgNode | undefined {
  const name = identifier.text();
  const value = identifier
    .getRoot()
    .root()
    .findAll({ rule: { kind: "variable_declarator", has: { field: "name", regex: `^${name}$` } } })
    .filter((declared) => declared.range().end.index < identifier.range().start.index)
    .at(-1)
    ?.field("value");
  return value ?? undefined;
}

/** `response.status` → `status`, `paths.join(", ")` → `paths`, `String(error)` → `error`, `(a.b / 2)` → `b`. */
function nameOf(expression: SgNode): string {
  const property = expression.field("property");
  if (property) return property.text();
  const callee = expression.field("function");
  if (callee) {
    const given = expression.field("arguments")?.child(1);
    const subject = given && NAMED.has(String(given.kind())) ? given : callee.field("object");
    return subject ? nameOf(subject) : callee.text();
  }
  const inner = expression.field("left") ?? expression.children().find((child) => child.isNamed());
  return inner ? nameOf(inner) : expression.text();
}

function unescaped(text: string): string {
  return text.replace(/\\n/g, " ").replace(/\\(.)/g, "$1");
}
