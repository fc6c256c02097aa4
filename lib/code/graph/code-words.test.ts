import { describe, expect, it } from "vitest";
import { codeWords, stem } from "#lib/code/graph/code-words.ts";

describe("codeWords", () => {
  it("splits names as programmers join them, and keeps the whole", () => {
    expect(codeWords("parseHTTPRange2")).toEqual(["parsehttprange2", "parse", "http", "range", "2"]);
    expect(codeWords("max_retries")).toEqual(["max_retries", "max", "retries"]);
    expect(codeWords("Größe ändern")).toEqual(["größe", "ändern"]);
  });

  it("leaves out marks and words of no use for their length", () => {
    expect(codeWords(`{} => (); ${"x".repeat(65)}`)).toEqual([]);
  });
});

describe("stem", () => {
  it("lets inflected words meet their base form", () => {
    for (const [one, other] of [
      ["ranges", "range"],
      ["parsing", "parse"],
      ["summed", "sum"],
      ["retries", "retry"],
      ["matches", "match"],
      ["calling", "call"],
      ["sizes", "size"],
      ["caches", "cache"],
    ] as const) {
      expect(stem(one)).toBe(stem(other));
    }
  });

  it("keeps different words apart", () => {
    expect(stem("string")).toBe("string");
    expect(stem("class")).not.toBe(stem("clas"));
    expect(stem("is")).toBe("is");
  });
});
