import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const STATIC = /^(?:import|export) (?!type\b)(?:[^"';]*? from )?"([^"]+)";/gms;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;
const MODEL_CODE = /^(?:ai|@ai-sdk\/.+|@aws-sdk\/client-secrets-manager)$/;

/** The packages that a module loads, through every module that it imports; statically, or later too. */
function packagesOf(start: string, imports: readonly RegExp[]): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const pending = [start];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    for (const [, name = ""] of imports.flatMap((form) => [...text.matchAll(form)])) {
      const file = name.startsWith("#") ? name.slice(1) : join(dirname(path), name);
      if (/^[.#]/.test(name)) {
        if (!existsSync(file)) throw new Error(`${path} imports ${name}, which is not there`);
        if (file.endsWith(".ts")) pending.push(file);
      } else packages.add(name);
    }
  }
  return packages;
}

const modelCode = (start: string, imports: readonly RegExp[]) =>
  [...packagesOf(start, imports)].filter((name) => MODEL_CODE.test(name)).sort();

describe("what asks models is loaded", () => {
  it.each(["codegen", "coder", "gateway", "orchestrator"])(
    "by nothing that %s imports when it starts, so a patch or a codemod never loads it",
    (name) => {
      const start = `functions/${name}/handler.ts`;
      expect(packagesOf(start, [STATIC]).size).toBeGreaterThan(3);
      expect(modelCode(start, [STATIC])).toEqual([]);
    },
  );

  it("by codegen when a question is asked, and by coder only to fetch a key", () => {
    expect(modelCode("functions/codegen/handler.ts", [STATIC, DYNAMIC])).toEqual([
      "@ai-sdk/amazon-bedrock",
      "@ai-sdk/anthropic",
      "@ai-sdk/openai-compatible",
      "@aws-sdk/client-secrets-manager",
      "ai",
    ]);
    expect(modelCode("functions/coder/handler.ts", [STATIC, DYNAMIC])).toEqual([
      "@aws-sdk/client-secrets-manager",
    ]);
  });
});
