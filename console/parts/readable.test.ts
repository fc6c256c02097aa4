import { describe, expect, it } from "vitest";
import { readable } from "./readable.ts";

describe("a text that was submitted", () => {
  it.each([
    ["plain text\twith a tab", "plain text\twith a tab"],
    ["\u001b[31mred\u001b[0m", "red"],
    ["a\u0000b\u0007c", "abc"],
    ["user\u202egpj.exe", "user⟨U+202E⟩gpj.exe"],
    ["zero\u200bwidth", "zero⟨U+200B⟩width"],
    ["한국어 <b>", "한국어 <b>"],
  ])("%j reads as %j", (text, shown) => {
    expect(readable(text)).toBe(shown);
  });
});
