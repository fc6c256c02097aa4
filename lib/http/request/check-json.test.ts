import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkJson } from "#lib/http/request/check-json.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";

/** The code it is refused with; undefined when it is let through. */
function refusal(text: string): string | undefined {
  try {
    checkJson(text);
    return undefined;
  } catch (error) {
    if (error instanceof HttpError && error.status === 400) return error.code;
    throw error;
  }
}

describe("looking over a JSON text", () => {
  it.each([
    ["a key twice", '{"a":1,"a":2}', "BODY_KEY_REFUSED"],
    ["a key twice, differently written", '{"a":1,"\\u0061" : 2}', "BODY_KEY_REFUSED"],
    ["a key twice, deep down", '[{"x":{"b":[1,{"c":1,"c":2}]}}]', "BODY_KEY_REFUSED"],
    ["a prototype", '{"__proto__":{}}', "BODY_KEY_REFUSED"],
    ["a prototype in disguise", '{"\\u005f_proto__":{}}', "BODY_KEY_REFUSED"],
    ["half a character", '["\\udc00"]', "BODY_NOT_UNICODE"],
    ["half a character in a key", '{"\\ud800":1}', "BODY_NOT_UNICODE"],
    ["33 levels", "[".repeat(33) + "]".repeat(33), "BODY_TOO_COMPLEX"],
    ["a million levels, never closed", "[".repeat(1_000_000), "BODY_TOO_COMPLEX"],
    ["a quarter of a million values", `[${"1,".repeat(250_000)}1]`, "BODY_TOO_COMPLEX"],
    ["an endless key", `{"${"k".repeat(1025)}":1}`, "BODY_TOO_COMPLEX"],
  ])("refuses %s", (_name, text, code) => {
    expect(refusal(text)).toBe(code);
  });

  it.each([
    ["the same key in two objects", '[{"a":1},{"a":2}]'],
    ["the same key inside another's value", '{"a":{"a":{"a":1}}}'],
    ["a value that looks like a key", '{"a":"a","b":"a:"}'],
    ["quotes and backslashes", '{"a\\\\":1,"a\\"":2,"a":"\\\\\\""}'],
    ["a whole character in halves", '["\\ud83d\\ude00"]'],
    ["the word constructor", '{"constructor":{"prototype":1}}'],
    ["32 levels", "[".repeat(32) + "]".repeat(32)],
    ["six megabytes of text", JSON.stringify({ text: '"\\'.repeat(1_500_000) })],
  ])("lets %s through", (_name, text) => {
    expect(refusal(text)).toBeUndefined();
    expect(() => JSON.parse(text)).not.toThrow();
  });

  it("lets through every value that JSON.stringify writes, and changes nothing", () => {
    const plain = fc.jsonValue({ maxDepth: 6, stringUnit: "grapheme" });
    fc.assert(
      fc.property(plain, fc.constantFrom(0, 1, "\t"), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        fc.pre(!text.includes('"__proto__"'));
        expect(refusal(text)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it("finds the key that was written twice, wherever that is", () => {
    const key = fc
      .string({ unit: "binary", minLength: 1, maxLength: 8 })
      .filter((text) => text !== "__proto__");
    const around = fc.array(fc.constantFrom("[", '{"outer":'), { maxLength: 10 });
    fc.assert(
      fc.property(key, fc.jsonValue({ maxDepth: 2 }), around, (name, value, opening) => {
        const member = `${JSON.stringify(name)} :${JSON.stringify(value).replaceAll("__proto__", "p")}`;
        const closing = opening.map((part) => (part === "[" ? "]" : "}")).reverse();
        const text = `${opening.join("")}{${member},"between:":0,${member}}${closing.join("")}`;
        fc.pre(name !== "between:");
        expect(() => JSON.parse(text)).not.toThrow();
        expect(["BODY_KEY_REFUSED"]).toContain(refusal(text));
      }),
      { numRuns: 1000 },
    );
  });

  it("ends with a refusal or without, whatever the text", () => {
    const token = fc.constantFrom(
      ...'{}[]":,\\ \n',
      '\\"',
      "\\u",
      "\\ud800",
      "null",
      "1e9",
      "__proto__",
      "\u0000",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(token).map((parts) => parts.join("")),
        ),
        (text) => {
          refusal(text);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
