import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryTree } from "../tree/memory-tree.ts";
import { configsAreValid } from "./configs-are-valid.ts";
import { optionsAreDescribed } from "./options-are-described.ts";

const schema = z.strictObject({ $schema: z.string(), depth: z.int().describe("folders deep") });

function tree(config: string, names: Record<string, unknown> = { LimitsConfig: schema }) {
  return memoryTree(
    {
      "configs/limits.json": config,
      "schemas/config/limits.ts": "",
      "schemas/json/config.limits.schema.json": "{}",
    },
    { "schemas/config/limits.ts": names as Record<string, unknown> },
  );
}

describe("configs-are-valid", () => {
  const pointer = "../schemas/json/config.limits.schema.json";

  it("accepts a file that follows its schema and points to it", async () => {
    expect(await configsAreValid.check(tree(JSON.stringify({ $schema: pointer, depth: 3 })))).toEqual([]);
  });

  it("rejects a value the schema refuses, and says where", async () => {
    const [finding] = await configsAreValid.check(tree(JSON.stringify({ $schema: pointer, depth: "3" })));
    expect(finding).toContain("configs/limits.json: is invalid");
    expect(finding).toContain("/depth: must be a ");
  });

  it("rejects a pointer to another schema, text that is no JSON, and a file without a schema", async () => {
    expect(await configsAreValid.check(tree(JSON.stringify({ $schema: "x.json", depth: 3 })))).toEqual([
      expect.stringContaining(`"$schema" must be "${pointer}"`),
    ]);
    expect(await configsAreValid.check(tree("{"))).toEqual([expect.stringContaining("is not JSON")]);
    expect(await configsAreValid.check(tree("{}", {}))).toEqual([
      expect.stringContaining("no schema config.limits"),
    ]);
  });
});

describe("options-are-described", () => {
  it("accepts options with a description and rejects those without", async () => {
    expect(await optionsAreDescribed.check(tree("{}"))).toEqual([]);
    const bare = z.strictObject({ depth: z.int() });
    expect(await optionsAreDescribed.check(tree("{}", { LimitsConfig: bare }))).toEqual([
      "schemas/config/limits.ts: LimitsConfig.depth has no .describe(): say what it is and its unit.",
    ]);
  });
});
