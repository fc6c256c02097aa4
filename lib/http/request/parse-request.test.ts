import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseBody, parseQuery } from "#lib/http/request/parse-request.ts";
import { Submission } from "#schemas/messages/submission.ts";

const json = { "content-type": "application/json; charset=utf-8" };
const body = (text: string) => ({ body: text, isBase64Encoded: false });
const refusal = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { status: number; code: string; errors?: { path: string }[] };
  }
  throw new Error("it was accepted");
};

describe("reading a request", () => {
  const valid = { workflow: "index", source: { kind: "inline", files: { "a.js": "1" } } };

  it("takes a valid body and fills in the defaults", () => {
    const parsed = parseBody(Submission, body(JSON.stringify(valid)), json);
    expect(parsed).toMatchObject({ profile: "standard", repository: "default" });
  });

  it("takes a body that API Gateway encoded", () => {
    const encoded = Buffer.from(JSON.stringify(valid)).toString("base64");
    expect(parseBody(Submission, { body: encoded, isBase64Encoded: true }, json).workflow).toBe("index");
  });

  it("names the field that is wrong", () => {
    const wrong = { ...valid, source: { kind: "inline", files: { "a.js": 7 } } };
    const { status, code, errors } = refusal(() => parseBody(Submission, body(JSON.stringify(wrong)), json));
    expect([status, code, errors?.[0]?.path]).toEqual([422, "BODY_INVALID", "/source/files/a.js"]);
  });

  it.each([
    ["junk", "x".repeat(1_000_000), json, 400, "BODY_NOT_JSON"],
    ["no body", "", json, 400, "BODY_NOT_JSON"],
    ["deep nesting", "[".repeat(100_000), json, 400, "BODY_TOO_COMPLEX"],
    ["an unknown field", JSON.stringify({ ...valid, colour: "red" }), json, 422, "BODY_INVALID"],
    [
      "no files",
      JSON.stringify({ ...valid, source: { kind: "inline", files: {} } }),
      json,
      422,
      "BODY_INVALID",
    ],
    [
      "a form",
      "a=b",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "CONTENT_TYPE_UNSUPPORTED",
    ],
    ["too many bytes", "x".repeat(6_000_001), json, 413, "BODY_TOO_LARGE"],
  ])("refuses %s", (_name, text, headers, status, code) => {
    expect(refusal(() => parseBody(Submission, body(text), headers))).toMatchObject({ status, code });
  });

  it("refuses a query parameter it does not know", () => {
    const query = z.strictObject({ limit: z.coerce.number().default(5) });
    expect(parseQuery(query, "")).toEqual({ limit: 5 });
    expect(refusal(() => parseQuery(query, "colour=red"))).toMatchObject({
      status: 422,
      code: "QUERY_INVALID",
    });
  });
});
