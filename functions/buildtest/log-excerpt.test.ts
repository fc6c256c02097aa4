import { describe, expect, it } from "vitest";
import { logExcerpt } from "./log-excerpt.ts";

const filler = (lines: number) => Array.from({ length: lines }, (_, line) => `line ${line}`);

describe("a log's excerpt", () => {
  it("starts shortly before the first line that looks like an error", () => {
    const excerpt = logExcerpt([...filler(100), "Error: boom", ...filler(100)].join("\n"));
    expect(excerpt?.split("\n")).toHaveLength(40);
    expect(excerpt?.split("\n")[5]).toBe("Error: boom");
  });

  it("is the end of a log without any, and knows a clean count from an error", () => {
    const excerpt = logExcerpt(["found 0 errors", ...filler(100)].join("\n"));
    expect(excerpt?.split("\n").at(-1)).toBe("line 99");
    expect(excerpt?.split("\n")).toHaveLength(40);
  });

  it("is short for long lines, and null for an empty log", () => {
    expect(logExcerpt("x".repeat(1e6))).toHaveLength(4000);
    expect(logExcerpt("\n\n")).toBeNull();
  });
});
