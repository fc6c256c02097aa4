export type SymbolKind =
  | "function"
  | "class"
  | "method"
  | "interface"
  | "type"
  | "enum"
  | "constant"
  | "namespace";

/** A call by its simple name; `member` for `x.name()`, whose receiver is unknown. */
export interface Call {
  name: string;
  member: boolean;
}

/** Lines count from 1 and are inclusive. */
export interface CodeSymbol {
  /** Qualified by what encloses it: `Class.method`. */
  name: string;
  kind: SymbolKind;
  exported: boolean;
  start_line: number;
  end_line: number;
  /** First line of the comment just above; `start_line` without one. */
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
