import { basename, extname } from "node:path/posix";
import { Lang, parse, type SgNode } from "@ast-grep/napi";
import type { Call, CodeSymbol, FileSymbols } from "#lib/code/graph/code-symbol.ts";
import { DECLARATION_KINDS, type Declaration, nameDeclaration } from "#lib/code/graph/name-declaration.ts";
import { readComment, readSignature } from "#lib/code/graph/read-comment.ts";

const SYMBOLS_MAX = 2000;
const CALLS_MAX = 64;
const DEPTH_MAX = 4;
/** Functions inside functions shorter than this are read as a part of the outer one. */
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
 * Symbols, imports and calls of one JavaScript or TypeScript file. A file with syntax errors gives
 * what could be read around them.
 */
export function readSymbols(path: string, text: string): FileSymbols {
  const root = parse(/\.[cm]?ts$/.test(path) ? Lang.TypeScript : Lang.Tsx, text).root();
  const reading = new Reading(text.split("\n"), basename(path, extname(path)));
  for (const node of root.findAll(MATCHER)) reading.visit(node);
  return reading.result();
}

/** One pass over a file's nodes in the order of the text, with a stack of what encloses them. */
class Reading {
  readonly #lines: readonly string[];
  readonly #file_name: string;
  readonly #symbols: CodeSymbol[] = [];
  readonly #imports = new Set<string>();
  readonly #exported_names = new Set<string>();
  readonly #top: Call[] = [];
  readonly #stack: Open[] = [];

  constructor(lines: readonly string[], file_name: string) {
    this.#lines = lines;
    this.#file_name = file_name;
  }

  visit(node: SgNode): void {
    const { start, end } = node.range();
    while (this.#stack.length > 0 && (this.#stack.at(-1)?.end ?? 0) <= start.index) this.#stack.pop();
    const kind = node.kind();
    if (kind === "call_expression" || kind === "new_expression") {
      this.#call(node, kind);
      return;
    }
    if (kind === "export_specifier") {
      this.#exported_names.add(node.field("name")?.text() ?? "");
      return;
    }
    if (kind === "import_statement" || kind === "export_statement") this.#import(node.field("source"));
    if (kind === "assignment_expression") this.#exportedList(node);
    const declaration = nameDeclaration(node, this.#file_name);
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

  /** `module.exports = name` and `module.exports = { name, other }`. */
  #exportedList(node: SgNode): void {
    if (node.field("left")?.text() !== "module.exports") return;
    const right = node.field("right");
    if (right?.kind() === "identifier") this.#exported_names.add(right.text());
    if (right?.kind() !== "object") return;
    for (const entry of right.children()) {
      if (entry.kind() === "shorthand_property_identifier") this.#exported_names.add(entry.text());
    }
  }

  result(): FileSymbols {
    for (const symbol of this.#symbols) {
      const [outermost = ""] = symbol.name.split(".");
      if (this.#exported_names.has(outermost) && !symbol.name.includes("#")) symbol.exported = true;
    }
    return { symbols: this.#symbols, imports: [...this.#imports], calls: this.#top };
  }
}
