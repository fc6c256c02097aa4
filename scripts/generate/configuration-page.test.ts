import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryTree } from "../tree/memory-tree.ts";
import { typeName } from "./configuration-options.ts";
import { configurationPage } from "./configuration-page.ts";
import type { PublishedSchema } from "./published-schemas.ts";
import { jsonSchema } from "./schema-file.ts";

const schema: PublishedSchema = {
  name: "config.limits",
  title: "LimitsConfig",
  description: "`configs/limits.json`: how much.",
  module: "schemas/config/limits.ts",
  schema: z.strictObject({
    $schema: z.string(),
    depth: z.int().min(1).max(9).describe("folders | deep"),
    retries: z.int().min(0).default(2).describe("tries after the first"),
    profiles: z.record(z.string(), z.strictObject({ wall_seconds: z.number().describe("elapsed time") })),
    rules: z.array(z.strictObject({ on: z.boolean().describe("in force") })).optional(),
  }),
};
const shipped = JSON.stringify({
  $schema: "x",
  depth: 4,
  profiles: { a: { wall_seconds: 1 }, b: { wall_seconds: 2 } },
});

describe("configurationPage", () => {
  const page = configurationPage(memoryTree({ "configs/limits.json": shipped }), [schema]);

  it("gives each option its type, its default or shipped value, and its description", () => {
    expect(page).toContain("## configs/limits.json\n\nhow much.");
    expect(page).toContain("| `depth` | integer 1 to 9 | `4` | folders \\| deep |");
    expect(page).toContain("| `retries` | integer ≥ 0 | `2` | tries after the first |");
    expect(page).toContain("| `profiles.<name>.wall_seconds` | number | a: `1`, b: `2` | elapsed time |");
    expect(page).toContain("| `rules[].on` | boolean | required | in force |");
  });

  it("leaves out the schema pointer and files that do not exist", () => {
    expect(page).not.toContain("$schema");
    expect(configurationPage(memoryTree({}), [schema])).not.toContain("limits");
  });
});

describe("typeName", () => {
  it("says a type in a few words", () => {
    const named = (type: z.ZodType) => typeName(jsonSchema(type));
    expect(named(z.enum(["a", "b"]))).toBe('"a" or "b"');
    expect(named(z.array(z.string()))).toBe("list of text");
    expect(named(z.record(z.string(), z.number()))).toBe("map of number");
    expect(named(z.number().positive())).toBe("number > 0");
    expect(named(z.string().nullable())).toBe("text or null");
  });
});
