import { basename, extname } from "node:path/posix";
import { Lang, parse, type SgNode } from "@ast-grep/napi";

type SymbolKind = "function" | "class" | "method" | "interface" | "type" | "enum" | "constant" | "namespace";

/** A call by simple name. `member` is true for `x.name()`, where the type of `x` is unknown. */
export interface Call {
  name: string;
  member: boolean;
}

/** Lines count from 1 and are inclusive. */
export interface CodeSymbol {
  /** Qualified by the enclosing symbols: `Class.method`. */
  name: string;
  kind: SymbolKind;
  exported: boolean;
  start_line: number;
  end_line: number;
  /** First line of the comment directly above; `start_line` when there is none. */
  doc_line: number;
  doc: string;
  signature: string;
  calls: Call[];
}

export interface FileSymbols {
  symbols: CodeSymbol[];
  /** Module specifiers as written: `./range.js`, `node:fs`. */
  imports: string[];
  /** Calls outside any symbol. */
  calls: Call[];
}

interface Declaration {
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

/** A shorter constant that the file does not export, where it stands or by name, gets no chunk of its own. */
const CONSTANT_LINES_MIN = 3;

/** Kinds of tree-sitter nodes that may declare a symbol. */
const DECLARATION_KINDS = [
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

function variable(node: SgNode, exported_names: ReadonlySet<string>): Declaration | undefined {
  const name = node.field("name");
  if (name?.kind() !== "identifier") return undefined;
  const statement = node.parent()?.parent()?.kind();
  const exported = statement === "export_statement";
  const kind = valueKind(node.field("value"));
  if (kind) return { name: name.text(), kind, exported };
  const { start, end } = node.range();
  const long = end.line - start.line + 1 >= CONSTANT_LINES_MIN || exported_names.has(name.text());
  const kept = exported || (statement === "program" && long);
  return kept ? { name: name.text(), kind: "constant", exported } : undefined;
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

/** The declaration in `node`, if it is one. An unnamed default export is named after its file. */
function nameDeclaration(
  node: SgNode,
  file_name: string,
  exported_names: ReadonlySet<string>,
): Declaration | undefined {
  const node_kind = String(node.kind());
  if (node_kind === "variable_declarator") return variable(node, exported_names);
  if (node_kind === "public_field_definition") return member(node, "name");
  if (node_kind === "pair") return member(node, "key");
  if (node_kind === "assignment_expression") return assignment(node, file_name);
  if (node_kind === "export_statement") return defaultExport(node, file_name);
  const kind = NAMED[node_kind];
  const name = node.field("name")?.text();
  if (!kind || !name) return undefined;
  return { name: unquoted(name), kind, exported: node.parent()?.kind() === "export_statement" };
}

const SYMBOLS_MAX = 2000;
const CALLS_MAX = 64;
const DEPTH_MAX = 4;
/** A shorter function inside another function is read as part of the outer one. */
const NESTED_LINES_MIN = 3;

const MATCHER = {
  rule: {
    any: [
      ...DECLARATION_KINDS,
      "call_expression",
      "new_expression",
      "import_statement",
      "export_specifier",
    ].map((kind) => ({ kind })),
  },
};

interface Open {
  end: number;
  symbol: CodeSymbol;
}

/**
 * Reads the symbols, imports and calls of one JavaScript or TypeScript file. Where a file has syntax
 * errors, the code around them is still read.
 */
export function readSymbols(path: string, text: string): FileSymbols {
  const root = parse(/\.[cm]?ts$/.test(path) ? Lang.TypeScript : Lang.Tsx, text).root();
  const nodes = root.findAll(MATCHER);
  const reading = new Reading(text.split("\n"), basename(path, extname(path)), exportedNames(nodes));
  for (const node of nodes) reading.visit(node);
  return reading.result();
}

/**
 * Names that a file exports apart from their declarations: `export { name }`, `export default name`,
 * `module.exports = name` and `module.exports = { name, other }`.
 */
function exportedNames(nodes: readonly SgNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of nodes) {
    const kind = node.kind();
    if (kind === "export_specifier") names.add(node.field("name")?.text() ?? "");
    if (kind === "export_statement") addIdentifier(node.field("value"), names);
    if (kind !== "assignment_expression" || node.field("left")?.text() !== "module.exports") continue;
    const right = node.field("right");
    addIdentifier(right, names);
    if (right?.kind() !== "object") continue;
    for (const entry of right.children()) {
      if (entry.kind() === "shorthand_property_identifier") names.add(entry.text());
    }
  }
  return names;
}

function addIdentifier(node: SgNode | null, names: Set<string>): void {
  if (node?.kind() === "identifier") names.add(node.text());
}

/** One pass over a file's nodes in text order, with a stack of the enclosing symbols. */
class Reading {
  readonly #lines: readonly string[];
  readonly #file_name: string;
  readonly #symbols: CodeSymbol[] = [];
  readonly #imports = new Set<string>();
  readonly #exported_names: ReadonlySet<string>;
  readonly #top: Call[] = [];
  readonly #stack: Open[] = [];

  constructor(lines: readonly string[], file_name: string, exported_names: ReadonlySet<string>) {
    this.#lines = lines;
    this.#file_name = file_name;
    this.#exported_names = exported_names;
  }

  visit(node: SgNode): void {
    const { start, end } = node.range();
    while (this.#stack.length > 0 && (this.#stack.at(-1)?.end ?? 0) <= start.index) this.#stack.pop();
    const kind = node.kind();
    if (kind === "call_expression" || kind === "new_expression") {
      this.#call(node, kind);
      return;
    }
    if (kind === "export_specifier") return;
    if (kind === "import_statement" || kind === "export_statement") this.#import(node.field("source"));
    const declaration = nameDeclaration(node, this.#file_name, this.#exported_names);
    if (declaration) this.#declare(declaration, start.line + 1, end.line + 1, end.index);
  }

  #declare(declaration: Declaration, start_line: number, end_line: number, end: number): void {
    const outer = this.#stack.at(-1)?.symbol;
    const nested = outer?.kind === "function" || outer?.kind === "method";
    if (nested && end_line - start_line + 1 < NESTED_LINES_MIN) return;
    if (this.#stack.length >= DEPTH_MAX || this.#symbols.length >= SYMBOLS_MAX) return;
    const { doc, doc_line } = readComment(this.#lines, start_line);
    const symbol: CodeSymbol = {
      name: outer ? `${outer.name}.${declaration.name}` : declaration.name,
      kind: declaration.kind,
      exported: declaration.exported || (outer?.exported === true && !declaration.name.startsWith("#")),
      start_line,
      end_line,
      doc_line,
      doc,
      signature: readSignature(this.#lines, start_line, end_line),
      calls: [],
    };
    this.#symbols.push(symbol);
    this.#stack.push({ end, symbol });
  }

  #call(node: SgNode, kind: string): void {
    const callee = node.field(kind === "new_expression" ? "constructor" : "function");
    const member = callee?.kind() === "member_expression";
    const name = (member ? callee.field("property") : callee)?.text();
    if (name === "require" || name === "import") {
      this.#import(node.field("arguments")?.child(1) ?? null);
      return;
    }
    if (!name || !/^#?[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) return;
    const calls = this.#stack.at(-1)?.symbol.calls ?? this.#top;
    if (calls.length < CALLS_MAX && !calls.some((call) => call.name === name)) calls.push({ name, member });
  }

  #import(source: SgNode | null): void {
    if (source?.kind() === "string") this.#imports.add(source.text().slice(1, -1));
  }

  result(): FileSymbols {
    for (const symbol of this.#symbols) {
      const [outermost = ""] = symbol.name.split(".");
      if (this.#exported_names.has(outermost) && !symbol.name.includes("#")) symbol.exported = true;
    }
    return { symbols: this.#symbols, imports: [...this.#imports], calls: this.#top };
  }
}

const LINES_UP_MAX = 80;
const COMMENT_LINE_CHARACTERS_MAX = 1000;

/** The comment that ends on the line directly above `start_line`, without comment marks. */
export function readComment(lines: readonly string[], start_line: number): { doc: string; doc_line: number } {
  const above = (lines[start_line - 2] ?? "").trim();
  const block = above.endsWith("*/");
  if (!block && !above.startsWith("//")) return { doc: "", doc_line: start_line };
  let first = start_line - 1;
  for (let up = 0; up < LINES_UP_MAX && first >= 1; up++) {
    const line = (lines[first - 1] ?? "").trim();
    if (block && line.startsWith("/*")) break;
    if (!block && !(lines[first - 2] ?? "").trim().startsWith("//")) break;
    first--;
  }
  if (first < 1 || (block && !(lines[first - 1] ?? "").trim().startsWith("/*"))) {
    return { doc: "", doc_line: start_line };
  }
  const doc = lines
    .slice(first - 1, start_line - 1)
    .map(withoutMarks)
    .filter((line) => line !== "");
  return { doc: doc.join("\n"), doc_line: first };
}

/** One line of a comment without the slashes and stars around it. */
function withoutMarks(line: string): string {
  let text = line.trim();
  if (text.endsWith("*/")) {
    let end = text.length - 1;
    while (end > 0 && text.charAt(end - 1) === "*") end -= 1;
    text = text.slice(0, end);
  }
  return text
    .replace(/^\/(?:\*+|\/+)/, "")
    .replace(/^\s*\*/, "")
    .trim()
    .slice(0, COMMENT_LINE_CHARACTERS_MAX);
}

const SIGNATURE_LINES_MAX = 8;
const SIGNATURE_CHARACTERS_MAX = 300;

/** A declaration from its first line until its brackets close or its body opens. */
export function readSignature(lines: readonly string[], start_line: number, end_line: number): string {
  let text = "";
  const last = Math.min(end_line, start_line + SIGNATURE_LINES_MAX - 1);
  for (let line = start_line; line <= last; line++) {
    const added = (lines[line - 1] ?? "").trim().slice(0, SIGNATURE_CHARACTERS_MAX);
    text = `${text} ${added}`.trim();
    const open = (text.match(/[([]/g) ?? []).length;
    const closed = (text.match(/[)\]]/g) ?? []).length;
    if (open <= closed) break;
  }
  const head = text.endsWith("{") ? text.slice(0, -1).trimEnd() : text;
  return head.slice(0, SIGNATURE_CHARACTERS_MAX);
}
