import { ts } from "@ast-grep/napi";
import { describe, expect, it } from "vitest";
import { sentenceOf } from "./sentence.ts";

/** The sentence of the expression that `source` ends with. */
function sentence(source: string): string {
  const expression = ts.parse(`${source};`).root().children().at(-1)?.child(0);
  return expression ? sentenceOf(expression) : "nothing parsed";
}

describe("sentenceOf", () => {
  it("reads literals, concatenations and the alternative to an absent text", () => {
    expect(sentence('"It\\u0027s"')).toContain("It");
    expect(sentence('"one " + "two"')).toBe("one two");
    expect(sentence('"one " + count')).toBe("one <count>");
    expect(sentence('given ?? "none given"')).toBe("none given");
  });

  it.each([
    ["response.status", "status"],
    ["String(error)", "error"],
    ["z.prettifyError(parsed.error)", "error"],
    ['paths.join(", ")', "paths"],
    ["(seen.cpu_ms / 1000).toFixed(2)", "cpu_ms"],
    ["items[0]", "items"],
  ])("names the value %s after %s", (expression, name) => {
    expect(sentence(`\`a \${${expression}} b\``)).toBe(`a <${name}> b`);
  });

  it("follows a constant to what it holds, and no further than it is a text", () => {
    expect(sentence('const name = "over " + limit; name')).toBe("over <limit>");
    expect(sentence("const name = read(); name")).toBe("");
    expect(sentence("name")).toBe("");
  });
});
