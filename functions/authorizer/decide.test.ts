import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { issueApiKey } from "#lib/http/auth/api-key.ts";
import { fromEdgeContext } from "#lib/http/auth/identity.ts";
import { verifyCredential } from "#lib/http/auth/verify-credential.ts";
import { keyWorld } from "#test/fakes/key-world.ts";
import { type Decision, decide } from "./decide.ts";

const RUNS = 2000;

const { ports, world } = keyWorld();
const verify = (authorization: string) => verifyCredential(authorization, ports);
const { key } = await issueApiKey(
  { tenant: "acme", name: "test", scopes: ["read", "submit"], created_by: "local" },
  ports,
);
const asked = (identitySource: unknown, rest: object = {}) =>
  decide({ ...rest, identitySource } as never, { verify, log: ports.log });

/** What the function behind would make of it. */
function identityIn({ isAuthorized, context }: Decision) {
  const verdict = isAuthorized ? fromEdgeContext(context) : undefined;
  return verdict && "identity" in verdict ? verdict.identity : undefined;
}

/** As API Gateway demands of a simple response: a boolean, and a flat map of text. */
function expectSimple(decision: Decision): void {
  expect(Object.keys(decision).sort()).toEqual(["context", "isAuthorized"]);
  expect(typeof decision.isAuthorized).toBe("boolean");
  for (const value of Object.values(decision.context)) expect(typeof value).toBe("string");
}

const token = fc
  .tuple(fc.json(), fc.json(), fc.base64String())
  .map(([head, claims, signature]) =>
    [Buffer.from(head).toString("base64url"), Buffer.from(claims).toString("base64url"), signature].join("."),
  );
const scheme = fc.constantFrom("Bearer ", "bearer ", "BEARER  ", "Basic ", "", "Bearer\t", "Bearer \u00a0");
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ maxLength: 300 }),
  fc.string({ minLength: 9_000, maxLength: 12_000 }),
  fc.stringMatching(/^dak_[0-9a-f]{0,80}$/),
  token,
);

describe("the authorizer", () => {
  it("hands on who a good key belongs to", async () => {
    const decision = await asked([`Bearer ${key}`]);
    expectSimple(decision);
    expect(identityIn(decision)).toMatchObject({ tenant: "acme", scopes: ["read", "submit"] });
  });

  it("knows nobody by any header made up, and never throws", async () => {
    await fc.assert(
      fc.asyncProperty(scheme, text, async (before, credential) => {
        const decision = await asked([before + credential]);
        expectSimple(decision);
        expect(identityIn(decision)).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it("knows nobody by a key with anything changed, added, left out or doubled", async () => {
    const spot = fc.nat(key.length - 1);
    const changed = fc.oneof(
      fc
        .tuple(spot, fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }))
        .map(([at, other]) => key.slice(0, at) + other + key.slice(at + 1)),
      fc
        .tuple(spot, fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 5 }))
        .map(([at, more]) => key.slice(0, at) + more + key.slice(at)),
      spot.map((at) => key.slice(0, at)),
      spot.map((at) => key.slice(at + 1)),
      fc.constantFrom(key + key, `${key},${key}`, `${key} ${key}`, key.toUpperCase(), `${key}\u0000`),
    );
    await fc.assert(
      fc.asyncProperty(changed, async (text) => {
        fc.pre(text.trim() !== key);
        expect(identityIn(await asked([`Bearer ${text}`]))).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it("answers by the header alone, whatever else the event says, so it may be cached by it", async () => {
    const headers = fc.constantFrom(`Bearer ${key}`, `Bearer ${key.slice(1)}`, "Basic x");
    const rest = fc.record({
      routeKey: fc.string(),
      rawPath: fc.string(),
      headers: fc.dictionary(fc.string(), fc.string()),
      requestContext: fc.object(),
    });
    await fc.assert(
      fc.asyncProperty(headers, rest, rest, async (header, one, other) => {
        expect(await asked([header], one)).toEqual(await asked([header], other));
      }),
      { numRuns: 300 },
    );
  });

  it("refuses an event without the header, which API Gateway would not have sent", async () => {
    for (const source of [undefined, null, [], [undefined], [7]]) {
      expect(await asked(source)).toEqual({ isAuthorized: false, context: {} });
    }
  });

  it("leaves to the function behind what it cannot judge just now", async () => {
    const broken = { verify: () => Promise.reject(new Error("no table")), log: ports.log };
    const decision = await decide({ identitySource: [`Bearer ${key}`] } as never, broken);
    expect(decision).toEqual({ isAuthorized: true, context: {} });
    expect(identityIn(decision)).toBeUndefined();
    expect(world.logged).toContain("AUTHORIZER_UNDECIDED");
  });

  it("is understood only as it speaks: any other context is no verdict", () => {
    fc.assert(
      fc.property(fc.object(), (context) => {
        expect(fromEdgeContext(context)).toBeUndefined();
      }),
    );
    const good = { verdict: "identity", tenant: "acme", subject: "key:1", scopes: "read", valid_until: "" };
    expect(fromEdgeContext(good)).toBeDefined();
    expect(fromEdgeContext({ ...good, scopes: "read root" })).toBeUndefined();
    expect(fromEdgeContext({ ...good, tenant: "Acme#1" })).toBeUndefined();
    expect(fromEdgeContext({ ...good, admin: "true" })).toBeUndefined();
  });
});
