import { describe, expect, it } from "vitest";
import { jsonText, visible } from "./visible.ts";

describe("visible", () => {
  it.each([
    ["OSC 52, which writes the clipboard", "\x1b]52;c;cm0gLXJm\x07", "\\x1b]52;c;cm0gLXJm\\x07"],
    ["OSC 8 with a string terminator", "\x1b]8;;https://x.test\x1b\\a", "\\x1b]8;;https://x.test\\x1b\\a"],
    ["the alternate screen", "\x1b[?1049h", "\\x1b[?1049h"],
    ["a C1 control sequence introducer", "\u009b2J", "\\x9b2J"],
    ["a C1 operating system command", "\u009d0;t\u009c", "\\x9d0;t\\x9c"],
    ["a device control string and its kin", "\x90q\x98\x9e\x9f", "\\x90q\\x98\\x9e\\x9f"],
    ["a carriage return that writes over the line", "failed\rpassed", "failed\\x0dpassed"],
    ["backspaces", "bad\b\b\bgood", "bad\\x08\\x08\\x08good"],
    ["shift out, which changes the character set", "\x0eabc\x0f", "\\x0eabc\\x0f"],
    ["NUL, bell, vertical tab, form feed, delete", "\0\x07\v\f\x7f", "\\x00\\x07\\x0b\\x0c\\x7f"],
    ["bidirectional overrides", "a\u202eb\u2066c\u200f", "a\\u{202e}b\\u{2066}c\\u{200f}"],
    ["zero-width and tag characters", "a\u200bb\ufeff\u{e0041}", "a\\u{200b}b\\u{feff}\\u{e0041}"],
    ["a joiner between letters", "a\u200db", "a\\u{200d}b"],
    ["line separators", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
    ["half a character", "a\ud800b", "a\\u{d800}b"],
    ["an invisible letter", "a\u3164b", "a\\u{3164}b"],
  ])("spells out %s", (_what, given, shown) => {
    expect(visible(given)).toBe(shown);
  });

  it.each(["plain\ttext\n", "Grüße, 世界, עברית", "👩‍💻 ❤️ 🏳️‍🌈 👍🏽", "C:\\x1b"])(
    "leaves %j alone",
    (text) => {
      expect(visible(text)).toBe(text);
    },
  );

  it("takes CRLF for the end of a line", () => {
    expect(visible("a\r\nb\r\n")).toBe("a\nb\n");
  });
});

describe("jsonText", () => {
  it("acts on no terminal, and says the same", () => {
    const document = { "\u009bkey": "\x1b[2J\u202e\u{e0041}", list: ["\u2028", "👩‍💻"] };
    const text = jsonText(document);
    expect(JSON.parse(text)).toEqual(document);
    expect(visible(text)).toBe(text);
  });
});
