import { describe, expect, it } from "vitest";
import { readSymbols } from "#lib/code/graph/read-symbols.ts";

const names = (path: string, text: string) => readSymbols(path, text).symbols.map(({ name }) => name);

describe("readSymbols", () => {
  it("reads functions, classes, methods, types and arrows, qualified by what encloses them", () => {
    const text = `
      export async function load(path: string): Promise<void> {}
      export class Range extends Set { test = (v: string) => true; static parse(text: string) {} #secret() {} }
      abstract class Shape { abstract area(): number }
      export const double = (n: number) => n * 2;
      export interface Options { loose: boolean }
      export type Text = string;
      enum Colour { Red }
      namespace Inner { export function deep() {} }
    `;
    expect(readSymbols("a.ts", text).symbols.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "function load",
      "class Range",
      "method Range.test",
      "method Range.parse",
      "method Range.#secret",
      "class Shape",
      "method Shape.area",
      "function double",
      "interface Options",
      "type Text",
      "enum Colour",
      "namespace Inner",
      "function Inner.deep",
    ]);
  });

  it("knows what is exported, also by list and in CommonJS", () => {
    const exported = (path: string, text: string) =>
      readSymbols(path, text)
        .symbols.filter((symbol) => symbol.exported)
        .map(({ name }) => name);
    expect(exported("a.ts", "function a() {}\nfunction b() {}\nexport { a };")).toEqual(["a"]);
    expect(exported("a.js", "function a() {}\nclass B { c() {} }\nmodule.exports = { a, B };")).toEqual([
      "a",
      "B",
      "B.c",
    ]);
    expect(exported("zip.cjs", "exports.one = () => 1;\nmodule.exports = function () {};")).toEqual([
      "one",
      "zip",
    ]);
    expect(exported("a.ts", "function hidden() {}")).toEqual([]);
    expect(exported("a.js", "function a() {}\nclass B { c() {} }\nexport default B;")).toEqual(["B", "B.c"]);
  });

  it("reads a short constant where the file exports it, at its declaration or by name", () => {
    for (const statement of ["module.exports = find;", "export default find;", "export { find };"]) {
      const [find, ...others] = readSymbols(
        "a.js",
        `const depth = 1;\nconst find = create(deep);\nfunction f() { const find = 2; }\n${statement}`,
      ).symbols;
      expect(find).toMatchObject({ name: "find", kind: "constant", exported: true, start_line: 2 });
      expect(find?.calls).toEqual([{ name: "create", member: false }]);
      expect(others.map(({ name }) => name)).toEqual(["f"]);
    }
  });

  it("gives lines, signature and the comment just above", () => {
    const text = [
      "/**",
      " * Adds two numbers.",
      " * @param a one",
      " */",
      "export function add(",
      "  a: number,",
      "  b: number,",
      "): number {",
      "  return a + b;",
      "}",
      "// far away",
      "",
      "function bare() {}",
    ].join("\n");
    const [add, bare] = readSymbols("a.ts", text).symbols;
    expect(add).toMatchObject({ start_line: 5, end_line: 10, doc_line: 1 });
    expect(add?.doc).toBe("Adds two numbers.\n@param a one");
    expect(add?.signature).toBe("export function add( a: number, b: number, ): number");
    expect(bare).toMatchObject({ doc: "", doc_line: 13 });
  });

  it("reads imports and calls, each call within the innermost symbol", () => {
    const text = `
      import { parse } from "./parse.js";
      export * from "./more.js";
      const { join } = require("node:path");
      start();
      export function run() { parse(join()); this.stop(); return new Range(); }
    `;
    const { imports, calls, symbols } = readSymbols("a.js", text);
    expect(imports).toEqual(["./parse.js", "./more.js", "node:path"]);
    expect(calls).toEqual([{ name: "start", member: false }]);
    expect(symbols[0]?.calls).toEqual([
      { name: "parse", member: false },
      { name: "join", member: false },
      { name: "stop", member: true },
      { name: "Range", member: false },
    ]);
  });

  it("reads JSX, and functions inside a function only when they are long enough", () => {
    expect(names("a.jsx", "export const App = () => <b onClick={() => 1}>hi</b>;")).toEqual(["App"]);
    const text = "function outer() {\n  const tiny = () => 1;\n  function inner() {\n    return 1;\n  }\n}";
    expect(names("a.ts", text)).toEqual(["outer", "outer.inner"]);
  });

  it("reads what it can of a file with syntax errors, and nothing of an empty one", () => {
    expect(names("a.ts", "function good() {}\n}}} class {{{ ((")).toContain("good");
    expect(names("a.ts", "")).toEqual([]);
  });
});
