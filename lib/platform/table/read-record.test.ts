import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readRecord } from "#lib/platform/table/read-record.ts";

const Note = z.strictObject({ text: z.string(), place: z.strictObject({ line: z.int() }).optional() });
const item = (fields: object) => ({ pk: "NOTES#a", sk: "1", ...fields });

describe("an item of the table, read as a record", () => {
  it("comes without its keys", () => {
    expect(readRecord(Note, item({ text: "x" }))).toEqual({ text: "x" });
  });

  it.each([
    [{ text: "x", colour: "red" }, "colour"],
    [{ text: "x", place: { line: 1, column: 2 } }, "place.column"],
  ])("waits for a later version when that wrote a field: %j", (fields, place) => {
    expect(() => readRecord(Note, item(fields))).toThrow(
      expect.objectContaining({
        code: "RECORD_NEWER",
        disposition: "park",
        message: expect.stringContaining(`${place} into the record NOTES#a 1`),
      }),
    );
  });

  it.each([{}, { text: 1 }, { text: 1, colour: "red" }])("is refused when it is none: %j", (fields) => {
    expect(() => readRecord(Note, item(fields))).toThrow(z.ZodError);
  });
});
