import { describe, expect, it } from "vitest";
import { z } from "zod";
import { editOfToolCall, editTools } from "#lib/code/edits/edit-tools.ts";
import { tellRefusals } from "#lib/code/edits/tell-refusals.ts";
import { edited, replacing } from "#test/fakes/edited-tree.ts";

describe("a tool call", () => {
  it("is the edit that it asks for", () => {
    expect(editOfToolCall("replace_text", { path: "f", search: "a", replace: "b" })).toEqual(
      replacing("a", "b"),
    );
    const thrice = { path: "f", search: "a", replace: "b", occurrences: 3 };
    expect(editOfToolCall("replace_text", thrice)).toEqual(replacing("a", "b", { occurrences: 3 }));
    expect(editOfToolCall("write_file", { path: "f", content: "" })).toEqual({
      kind: "write",
      path: "f",
      content: "",
    });
    expect(editOfToolCall("delete_file", { path: "f" })).toEqual({ kind: "delete", path: "f" });
    const renamed = { path: "f", new_path: "g" };
    expect(editOfToolCall("rename_file", renamed)).toEqual({ kind: "rename", ...renamed });
  });

  it.each<[string, unknown, RegExp]>([
    ["replace_text", { path: "f", search: "a" }, /replace: /],
    ["replace_text", { path: "f", search: "a", replace: "b", replace_all: true }, /replace_all/],
    ["replace_text", { path: "f", search: "a", replace: "b", occurrences: 0 }, /occurrences: /],
    ["replace_text", { path: "f", search: "a", replace: "b", occurrences: "2" }, /occurrences: /],
    ["replace_text", { path: "f", search: "a", replace: "b", whole_lines: true }, /whole_lines/],
    ["write_file", { path: "f", content: null }, /content: /],
    ["write_file", undefined, /does not match/],
    ["write_file", "f", /does not match/],
    ["delete_file", [], /does not match/],
    ["rename_file", { path: "f" }, /new_path: /],
    ["run_shell", { command: "rm -rf /" }, /no tool "run_shell"/],
    ["constructor", {}, /no tool "constructor"/],
  ])("%s with %j is refused, naming why", (name, input, naming) => {
    expect(editOfToolCall(name, input)).toMatchObject({
      kind: "unreadable",
      code: "EDIT_MALFORMED",
      message: expect.stringMatching(naming),
    });
  });

  it("has a JSON Schema that says what its fields are and allows no others", () => {
    for (const { input, description } of Object.values(editTools)) {
      const schema = z.toJSONSchema(input, { io: "input" });
      expect(schema).toMatchObject({ type: "object", additionalProperties: false });
      for (const property of Object.values(schema.properties ?? {}))
        expect(property).toHaveProperty("description");
      expect(description).toMatch(/\.$/);
    }
  });
});

describe("what is told of refusals", () => {
  it("is nothing when there is none", async () => {
    expect(tellRefusals((await edited({ f: "a\n" }, [replacing("a", "b")])).outcome)).toBe("");
  });

  it("names the code and the lines of those refused, and not those accepted", async () => {
    const { outcome } = await edited({ f: "a\nb\n```\n" }, [replacing("a", "x"), replacing("b\nc\n", "y")]);
    const told = tellRefusals(outcome);
    expect(told).toMatch(/^1 edit was accepted: do not send it again\. 1 edit was refused\./);
    expect(told).toContain('Edit 2: EDIT_SEARCH_NOT_FOUND. The search text does not occur in "f".');
    expect(told).toContain("Lines 1 to 3 of the file:\n````\nx\nb\n```\n````");
    expect(told).not.toContain("Edit 1");
  });

  it("asks for the whole file after three refusals", async () => {
    const wrong = ["1", "2", "3"].map((search) => replacing(search, "x"));
    expect(tellRefusals((await edited({ f: "a\n" }, wrong)).outcome)).toContain("Send the whole file");
  });

  it("is bounded", async () => {
    const wrong = Array.from({ length: 400 }, (_, index) => replacing(`${index}`.repeat(30), "x"));
    const told = tellRefusals((await edited({ f: `${"long ".repeat(40)}\n`.repeat(50) }, wrong)).outcome);
    expect(told.length).toBeLessThan(30_000);
    expect(told).toMatch(/\d+ more edits were refused/);
  });
});
