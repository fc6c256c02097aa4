import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { TEXT_FORM } from "#lib/code/edits/tell-refusals.ts";
import { editCases } from "../bench/edits/cases.ts";
import { aider, opencode } from "../bench/edits/other-rules.ts";
import { runCases } from "../bench/edits/run-cases.ts";

describe("the cases of bench:edits", () => {
  it("are applied to the byte or refused, as each must be", async () => {
    const results = await runCases(editCases());
    expect(results.length).toBeGreaterThanOrEqual(200);
    const failed = results.flatMap(({ case: one, ours }) => {
      const must = one.applies ? "right" : "refused";
      return ours.some(({ result }) => result !== must) ? [{ name: one.name, group: one.group, ours }] : [];
    });
    expect(failed).toEqual([]);
  }, 300_000);

  it("have rules of other tools beside them that apply what is exact and refuse what is nowhere", () => {
    for (const rules of [aider, opencode]) {
      expect(rules("a\nb\nc\n", "b\n", "x\n")).toBe("a\nx\nc\n");
      expect(rules("a\nb\nc\n", "nowhere\n", "x\n")).toBeUndefined();
    }
    expect(aider("  a\n    b\n", "a\n  b\n", "x\n  y\n")).toBe("  x\n    y\n");
    expect(aider("a\na\n", "a\n", "x\n")).toBe("x\na\n");
    expect(aider("a\n1\nb\n2\nc\n", "a\n...\nc\n", "x\n...\ny\n")).toBe("x\n1\nb\n2\ny\n");
    expect(opencode("a\na\n", "a\n", "x\n")).toBeUndefined();
    expect(opencode("f {\n  one\n  two\n}\n", "f {\n  else\n}\n", "g\n")).toBe("g\n\n");
  });
});

it("the reference has the text form as a model is told it, word for word", async () => {
  const page = await readFile(new URL("../docs/reference/edits.md", import.meta.url), "utf8");
  expect(page).toContain(TEXT_FORM);
});
