import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textSlice } from "./text-slice.ts";

function slices(bytes: Uint8Array, bytes_max: number): string[] {
  const texts: string[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const slice = textSlice(bytes, offset, bytes_max);
    texts.push(slice.text);
    if (slice.next_offset !== null && slice.next_offset <= offset) throw new Error("a slice is empty");
    offset = slice.next_offset;
  }
  return texts;
}

describe("slices of a text", () => {
  it("make the whole text, however long they are", () => {
    const given = fc.tuple(fc.string({ unit: "binary", maxLength: 40 }), fc.integer({ min: 4, max: 20 }));
    fc.assert(
      fc.property(given, ([words, bytes_max]) => {
        const text = words.toWellFormed();
        const parts = slices(Buffer.from(text), bytes_max);
        expect(parts.join("")).toBe(text);
        expect(Math.max(...parts.map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(bytes_max);
      }),
    );
  });

  it("end, of bytes that are no UTF-8 too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(slices(bytes, 4).length).toBeLessThanOrEqual(bytes.length + 1);
      }),
    );
  });

  it("begin at the next character, and past the end there is none", () => {
    const bytes = Buffer.from("a한b");
    expect(textSlice(bytes, 2, 10)).toEqual({ text: "b", offset: 4, next_offset: null });
    expect(textSlice(bytes, 0, 4)).toEqual({ text: "a한", offset: 0, next_offset: 4 });
    expect(textSlice(bytes, 0, 5)).toEqual({ text: "a한b", offset: 0, next_offset: null });
    expect(textSlice(bytes, 99, 10)).toEqual({ text: "", offset: 5, next_offset: null });
  });
});
