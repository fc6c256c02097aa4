import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkUrl, NO_QUERY, parseBody, parseQuery } from "#lib/http/request/parse-request.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { CircuitCommand } from "#schemas/http/circuits.ts";
import { KeyRequest } from "#schemas/http/keys.ts";
import { Problem } from "#schemas/http/task-view.ts";
import { QueryRequest, Submission, UploadRequest } from "#schemas/messages/submission.ts";

const BODIES = { Submission, UploadRequest, QueryRequest, KeyRequest, CircuitCommand };
const STATUSES = [400, 413, 415, 422];

/** What it gave, or a client's mistake that can be told as a problem; anything else fails the test. */
function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    expect(STATUSES).toContain(error.status);
    const { errors, message } = error;
    expect(message.isWellFormed() && message.length <= 1200).toBe(true);
    Problem.shape.errors.parse(errors);
    return undefined;
  }
}

const json = fc.constant({ "content-type": "application/json" });
const headers = fc.oneof(
  { weight: 3, arbitrary: json },
  fc.record({ "content-type": fc.string(), "content-length": fc.nat().map(String) }),
);
/** Values of the right shape with something wrong in them, and nonsense. */
const field = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom("inline", "upload", "git", "patch", -1, 1e308),
);
const nearly = fc.record(
  {
    workflow: field,
    source: fc.oneof(field, fc.record({ kind: field, files: fc.dictionary(fc.string(), field), url: field })),
    change: fc.oneof(field, fc.record({ kind: field, diff: field, text: field })),
    query: field,
    limit: field,
    scopes: fc.array(field),
    name: field,
    action: field,
    why: field,
    sha256: field,
    bytes: field,
  },
  { requiredKeys: [] },
);
const text = fc.oneof(
  nearly.map((value) => JSON.stringify(value)),
  fc.string({ unit: "binary" }),
  fc.json(),
);

describe("whatever is sent", () => {
  it.each(Object.entries(BODIES))("%s is read, or refused as a client's mistake", (_name, schema) => {
    fc.assert(
      fc.property(text, headers, fc.boolean(), (body, given, isBase64Encoded) => {
        const sent = isBase64Encoded ? Buffer.from(body).toString("base64") : body;
        const parsed = outcome(() =>
          parseBody<typeof schema>(schema, { body: sent, isBase64Encoded }, given),
        );
        if (parsed !== undefined) expect(() => schema.parse(parsed)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });

  it("any bytes are a body that is read or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), json, (bytes, given) => {
        const body = Buffer.from(bytes).toString("base64");
        outcome(() => parseBody(QueryRequest, { body, isBase64Encoded: true }, given));
      }),
      { numRuns: 2000 },
    );
  });

  it("a URL is read, or refused, and changes no prototype", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.webQueryParameters(), (path, query) => {
        outcome(() => checkUrl({ rawPath: path, rawQueryString: query }));
        outcome(() => parseQuery(NO_QUERY, query));
        outcome(() => parseQuery(NO_QUERY, `__proto__=1&constructor=2&${path}`));
        expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
