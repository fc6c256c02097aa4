import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryTree } from "../tree/memory-tree.ts";
import { optionBlocks } from "./option-blocks.ts";

const schemas = [
  {
    name: "config.limits",
    title: "LimitsConfig",
    description: "",
    module: "schemas/config/limits.ts",
    schema: z.strictObject({
      depth: z.int().min(1).max(9).describe("folders deep"),
      width: z.int().min(1).max(9).describe("folders wide"),
    }),
  },
];
const config = { "configs/limits.json": JSON.stringify({ depth: 4, width: 2 }) };
const PAGE = "docs/reference/limits.md";

function written(page: string): string | undefined {
  const [file] = optionBlocks(memoryTree({ ...config, [PAGE]: page }), schemas);
  return file?.text;
}

describe("a page with a block of options", () => {
  it("gets the options with the prefixes it names, and the same again when it has them", () => {
    const page = "# Limits\n\n<!-- options: limits dep -->\nstale\n<!-- /options -->\n\nBecause.\n";
    const filled = written(page);
    expect(filled).toContain(
      "| `depth` | integer 1 to 9 | `4` | folders deep |\n\n<!-- /options -->\n\nBecause.",
    );
    expect(filled).not.toContain("width");
    expect(filled).not.toContain("stale");
    expect(written(filled ?? "")).toBe(filled);
    expect(written(page.replace(" dep", ""))).toContain("`width`");
  });

  it("is left alone without one, and refused when it names no configuration", () => {
    expect(written("# Limits\n")).toBeUndefined();
    expect(() => written("<!-- options: other -->\n<!-- /options -->\n")).toThrow(
      /limits.md asks for .* other/,
    );
  });
});
