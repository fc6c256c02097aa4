import type { SgNode } from "@ast-grep/napi";
import type { SymbolKind } from "#lib/code/graph/code-symbol.ts";

export interface Declaration {
  name: string;
  kind: SymbolKind;
  exported: boolean;
}

const NAMED: Readonly<Record<string, SymbolKind>> = {
  function_declaration: "function",
  generator_function_declaration: "function",
  function_signature: "function",
  class_declaration: "class",
  abstract_class_declaration: "class",
  interface_declaration: "interface",
  type_alias_declaration: "type",
  enum_declaration: "enum",
  method_definition: "method",
  abstract_method_signature: "method",
  internal_module: "namespace",
};

const FUNCTIONS = new Set(["arrow_function", "function_expression", "generator_function"]);

/** Shorter ones, when not exported, say little by themselves. */
const CONSTANT_LINES_MIN = 3;

/** Kinds of tree-sitter nodes that may declare a symbol. */
export const DECLARATION_KINDS = [
  ...Object.keys(NAMED),
  "public_field_definition",
  "variable_declarator",
  "pair",
  "assignment_expression",
  "export_statement",
];

function valueKind(value: SgNode | null): SymbolKind | undefined {
  const kind = value ? String(value.kind()) : undefined;
  if (kind === undefined) return undefined;
  if (FUNCTIONS.has(kind)) return "function";
  return kind === "class" ? "class" : undefined;
}

function unquoted(text: string): string {
  return text.replace(/^["'`]|["'`]$/g, "");
}

function variable(node: SgNode): Declaration | undefined {
  const name = node.field("name");
  if (name?.kind() !== "identifier") return undefined;
  const statement = node.parent()?.parent()?.kind();
  const exported = statement === "export_statement";
  const kind = valueKind(node.field("value"));
  if (kind) return { name: name.text(), kind, exported };
  const { start, end } = node.range();
  const long = statement === "program" && end.line - start.line + 1 >= CONSTANT_LINES_MIN;
  return exported || long ? { name: name.text(), kind: "constant", exported } : undefined;
}

function member(node: SgNode, field: "name" | "key"): Declaration | undefined {
  const kind = valueKind(node.field("value"));
  const name = node.field(field)?.text();
  if (!kind || !name || name.startsWith("[")) return undefined;
  return { name: unquoted(name), kind: kind === "function" ? "method" : kind, exported: false };
}

/** `exports.a = function`, `module.exports = class`, `Range.prototype.test = function`. */
function assignment(node: SgNode, file_name: string): Declaration | undefined {
  const left = node.field("left");
  const right = node.field("right");
  const kind = valueKind(right);
  if (!kind || left?.kind() !== "member_expression") return undefined;
  const path = left.text().replace(/\s+/g, "");
  if (path.length > 120 || /[([]/.test(path)) return undefined;
  const exported = /^(module\.)?exports\b/.test(path);
  const name = path.replace(/^(module\.)?exports\.?|^this\./, "").replace(".prototype.", ".");
  return { name: name || (right?.field("name")?.text() ?? file_name), kind, exported };
}

function defaultExport(node: SgNode, file_name: string): Declaration | undefined {
  const kind = valueKind(node.field("value"));
  return kind && { name: file_name, kind, exported: true };
}

/** What `node` declares, if anything. An unnamed default export is called after its file. */
export function nameDeclaration(node: SgNode, file_name: string): Declaration | undefined {
  const node_kind = String(node.kind());
  if (node_kind === "variable_declarator") return variable(node);
  if (node_kind === "public_field_definition") return member(node, "name");
  if (node_kind === "pair") return member(node, "key");
  if (node_kind === "assignment_expression") return assignment(node, file_name);
  if (node_kind === "export_statement") return defaultExport(node, file_name);
  const kind = NAMED[node_kind];
  const name = node.field("name")?.text();
  if (!kind || !name) return undefined;
  return { name: unquoted(name), kind, exported: node.parent()?.kind() === "export_statement" };
}
