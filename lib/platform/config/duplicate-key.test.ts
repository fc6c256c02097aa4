import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duplicateKey } from "#lib/platform/config/parse-config.ts";

describe("duplicateKey", () => {
  it.each([
    ['{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 1}]}', undefined],
    ['{"a": "a", "b": "a:", "c": "{\\"a\\": 1}"}', undefined],
    ['{"a": 1, "b": 2, "a": 3}', "a"],
    ['{"x": [{"b": {"c": 1, "c" : 1}}]}', "c"],
    ['{"\\u0061": 1, "a": 2}', "a"],
    ["7", undefined],
  ])("in %s is %j", (json, key) => {
    expect(duplicateKey(json)).toBe(key);
  });

  it("finds none in what JSON.stringify wrote, and the one put in", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
        const json = JSON.stringify(value);
        expect(duplicateKey(json)).toBeUndefined();
        const key = Object.keys(JSON.parse(json))[0] as string;
        expect(duplicateKey(`${json.slice(0, -1)}, ${JSON.stringify(key)}: 0}`)).toBe(key);
      }),
    );
  });
});
