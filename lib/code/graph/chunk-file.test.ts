import { describe, expect, it } from "vitest";
import { chunkFile } from "#lib/code/graph/chunk-file.ts";
import { readSymbols } from "#lib/code/graph/read-symbols.ts";

const limits = { chunk_characters_max: 200, excerpt_characters_max: 400 };
const chunksOf = (path: string, language: string, text: string) =>
  chunkFile({ language, text, symbols: path.endsWith(".ts") ? readSymbols(path, text).symbols : [] }, limits);

describe("chunkFile", () => {
  it("gives one chunk per symbol and one for what lies outside, without imports", () => {
    const rest = `register("something", { with: "enough", text: "to be worth", a: "chunk of its own" });`;
    const text = `import { a } from "a";\n\nexport function one() {}\n\n${rest}\n`;
    const chunks = chunksOf("a.ts", "typescript", text);
    expect(chunks.map(({ symbol, kind }) => [symbol, kind])).toEqual([
      ["one", "function"],
      [null, "lines"],
    ]);
    expect(chunks[1]?.excerpt.trim()).toBe(rest);
  });

  it("cuts Markdown at its headings, but not at # inside a fence", () => {
    const text = "# Title\nintro\n\n## Usage\n```sh\n# a comment\nrun\n```\n";
    expect(
      chunksOf("a.md", "markdown", text).map(({ signature, start_line }) => [signature, start_line]),
    ).toEqual([
      ["Title", 1],
      ["Usage", 4],
    ]);
  });

  it("cuts other text into windows of lines", () => {
    const text = Array.from({ length: 100 }, (_, i) => `def function_${i}(): pass`).join("\n");
    expect(
      chunksOf("a.py", "python", text).map(({ start_line, end_line }) => [start_line, end_line]),
    ).toEqual([
      [1, 40],
      [41, 80],
      [81, 100],
    ]);
  });

  it("keeps every text within its limit, and makes nothing of an empty file", () => {
    const text = `export function long() {\n${"  work();\n".repeat(500)}}`;
    expect(chunksOf("a.ts", "typescript", text)[0]?.excerpt).toHaveLength(400);
    expect(chunksOf("a.ts", "typescript", "")).toEqual([]);
    expect(chunksOf("a.md", "markdown", "\n\n")).toEqual([]);
  });

  it("hashes what is embedded: moved code keeps its hash, changed code does not", () => {
    const hash = (text: string) => chunksOf("a.ts", "typescript", text)[0]?.content_hash;
    const code = "export function one() {\n  return 1;\n}";
    expect(hash(`\n\n\n${code}`)).toBe(hash(code));
    expect(hash(code.replace("1;", "2;"))).not.toBe(hash(code));
  });
});
