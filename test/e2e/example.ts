import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** The example package as an inline source. */
export function exampleSource(): { kind: "inline"; files: Record<string, string> } {
  const root = "examples/date-range";
  const files: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const path = join(root, name);
    if (statSync(path).isFile()) files[relative(root, path)] = readFileSync(path, "utf8");
  }
  return { kind: "inline", files };
}

/** A package of one module and one test, which passes or does not. */
export function tinySource(passes: boolean) {
  return {
    kind: "inline" as const,
    files: {
      "package.json": '{ "name": "tiny", "type": "module", "scripts": { "test": "node --test" } }\n',
      "add.js": `export const add = (a, b) => a ${passes ? "+" : "-"} b;\n`,
      "add.test.js":
        'import { test } from "node:test";\nimport assert from "node:assert";\nimport { add } from "./add.js";\ntest("adds", () => assert.equal(add(1, 2), 3));\n',
    },
  };
}

export const FIX = readFileSync("examples/fix.patch", "utf8");
export const FIRST_TRY = readFileSync("examples/first-try.patch", "utf8");
export const CODEMOD = readFileSync("examples/codemod.yml", "utf8");
