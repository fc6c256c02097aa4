import { describe, expect, it } from "vitest";
import { parseRunbook } from "./parse-runbook.ts";

describe("a runbook", () => {
  it("is read as headings, paragraphs, steps, tables and marked words", () => {
    const text =
      "# What\n\n**Impact.** Tasks\nwait: `a|b`, [more](x.md).\n\n| A | B |\n|---|---|\n| `1` | 2 |\n\n1. one\n   more\n2. two\n";
    expect(parseRunbook(text)).toEqual([
      { kind: "heading", parts: [{ kind: "text", text: "What" }] },
      {
        kind: "paragraph",
        parts: [
          { kind: "strong", text: "Impact." },
          { kind: "text", text: " Tasks wait: " },
          { kind: "code", text: "a|b" },
          { kind: "text", text: ", " },
          { kind: "link", text: "more", to: "x.md" },
          { kind: "text", text: "." },
        ],
      },
      {
        kind: "table",
        head: [[{ kind: "text", text: "A" }], [{ kind: "text", text: "B" }]],
        rows: [[[{ kind: "code", text: "1" }], [{ kind: "text", text: "2" }]]],
      },
      { kind: "steps", items: [[{ kind: "text", text: "one more" }], [{ kind: "text", text: "two" }]] },
    ]);
  });
});
