import { describe, expect, it } from "vitest";
import { linesAround, logExcerpt } from "./log-excerpt.ts";

const filler = (lines: number) => Array.from({ length: lines }, (_, line) => `line ${line}`);

describe("a log's excerpt", () => {
  it("starts shortly before the first line that looks like an error", () => {
    const excerpt = logExcerpt([...filler(100), "Error: boom", ...filler(100)].join("\n"));
    expect(excerpt?.split("\n")).toHaveLength(16);
    expect(excerpt?.split("\n")[4]).toBe("Error: boom");
  });

  it("is the end of a log without any, and knows a clean count from an error", () => {
    const excerpt = logExcerpt(["found 0 errors", ...filler(100)].join("\n"));
    expect(excerpt?.split("\n").at(-1)).toBe("line 99");
    expect(excerpt?.split("\n")).toHaveLength(16);
  });

  it.each([
    ["Mocha", "  1) adds"],
    ["TAP", "not ok 3 - adds"],
    ["go test", "--- FAIL: TestAdd (0.00s)"],
    ["pytest", "E       assert 1 == 2"],
    ["cargo", "test tests::adds ... FAILED"],
    ["Java", "java.lang.IllegalStateException: closed"],
  ])("starts at the first failure of %s, not at a word in what passed", (_, failure) => {
    const log = [
      "ok 1 - shows errors",
      "✓ fails when it cannot",
      "> mocha --fail-zero",
      ...filler(50),
      failure,
    ];
    expect(logExcerpt([...log, ...filler(50)].join("\n"))?.split("\n")[4]).toBe(failure);
  });

  it("can be taken around a name", () => {
    const log = [...filler(50), "adds two numbers", ...filler(50)].join("\n");
    expect(linesAround(log, "adds two")?.split("\n")[4]).toBe("adds two numbers");
    expect(linesAround(log, "subtracts")).toBeNull();
    expect(linesAround(log, "")).toBeNull();
  });

  it("is short for long lines, and null for an empty log", () => {
    expect(logExcerpt("x".repeat(1e6))).toHaveLength(4000);
    expect(logExcerpt("\n\n")).toBeNull();
  });
});
