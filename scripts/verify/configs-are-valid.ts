import { posix } from "node:path";
import type { z } from "zod";
import { describeIssues } from "#schemas/issue-sentence.ts";
import { publishedSchemas } from "../generate/published-schemas.ts";
import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";

/** Each file in configs/ points to its generated JSON Schema and follows its zod schema. */
export const configsAreValid: Rule = {
  name: "configs-are-valid",
  async check(tree) {
    const schemas = new Map((await publishedSchemas(tree)).map(({ name, schema }) => [name, schema]));
    return tree.files
      .filter((path) => /^configs\/[^/]+\.json$/.test(path))
      .flatMap((path) => {
        const name = `config.${posix.basename(path, ".json")}`;
        return configFaults(tree, path, name, schemas.get(name)).map((fault) => `${path}: ${fault}`);
      });
  },
};

function configFaults(tree: Tree, path: string, name: string, schema: z.ZodType | undefined): string[] {
  if (!schema) return [`no schema ${name}: export one ending in Config from schemas/config/.`];
  const value = parseJson(tree.read(path));
  if (value === undefined) return ["is not JSON: mend its syntax."];
  const parsed = schema.safeParse(value);
  const pointer = (value as { $schema?: unknown }).$schema;
  const wanted = `schemas/json/${name}.schema.json`;
  const target = typeof pointer === "string" ? posix.join("configs", pointer) : undefined;
  return [
    ...(target === wanted && tree.has(wanted)
      ? []
      : [`"$schema" must be "../${wanted}", and that file be generated: npm run generate.`]),
    ...(parsed.success ? [] : [`is invalid:\n${describeIssues(parsed.error)}`]),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
