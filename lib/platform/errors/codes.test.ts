import { describe, expect, it } from "vitest";
import type { CodesByStatus } from "#lib/platform/errors/codes.ts";
import { ERROR_CODES } from "#lib/platform/errors/codes.ts";
import { ParkedFault, QuotaFault, RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";

describe("the catalogue of error codes", () => {
  it("says each thing once, in a sentence", () => {
    const sentences = Object.values(ERROR_CODES).map(({ says }) => says);
    for (const says of sentences) expect(says).toMatch(/^[A-Z].*\.$/);
    const twice = sentences.filter((says, index) => sentences.indexOf(says) !== index);
    expect(
      twice.filter((says) => says !== "The source has an entry that is no file, directory or link."),
    ).toEqual([]);
  });

  it("is in alphabetical order, so that a new code has one place", () => {
    expect(Object.keys(ERROR_CODES)).toEqual(Object.keys(ERROR_CODES).sort());
  });

  /** `npm run check` compiles this file: each line fails there once it compiles without its comment. */
  it("is held by the compiler", () => {
    // @ts-expect-error a code that is not in the catalogue
    new TerminalFault("NO_SUCH_CODE", "x");
    // @ts-expect-error a code of another disposition
    new ParkedFault("BLOB_MISSING", "x");
    // @ts-expect-error a code of another disposition
    new QuotaFault("BLOB_MISSING", "x", { retry_at_ms: 1 });
    // @ts-expect-error a code that is only an HTTP answer
    new RejectedInput("TASK_NOT_FOUND", "x");
    // @ts-expect-error a code that is not in the catalogue
    const _not_made = () => new HttpError("NO_SUCH_CODE", "x");
    // @ts-expect-error a code that is no HTTP answer
    new HttpError("BLOB_MISSING", "x");
    // @ts-expect-error another status than the catalogue has
    const _wrong_status: CodesByStatus = { 400: ["TASK_NOT_FOUND"] };
    // @ts-expect-error a code that is not in the catalogue
    const _unknown: CodesByStatus = { 404: ["NO_SUCH_CODE"] };
    const right: CodesByStatus = { 404: ["TASK_NOT_FOUND"], 422: ["DIFF_EMPTY", "QUERY_INVALID"] };
    expect(right[404]).toEqual(["TASK_NOT_FOUND"]);
    expect(new HttpError("TASK_NOT_FOUND", "x").status).toBe(404);
    expect(new TerminalFault("BLOB_MISSING", "x").disposition).toBe("terminal");
  });
});
