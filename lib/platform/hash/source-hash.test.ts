import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idempotencyKey, sourceHash } from "#lib/platform/hash/source-hash.ts";

/** The same value with the keys of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([name, member]) => [name, reordered(member)]));
}

describe("half a character", () => {
  it.each([{ a: "\ud800" }, { "\udc00": 1 }, ["x", "a\ud800b"]])("is refused with a code: %j", (value) => {
    expect(() => sourceHash(value)).toThrow(expect.objectContaining({ code: "TEXT_NOT_UNICODE" }));
  });
});

describe("sourceHash", () => {
  it("is the same whatever the order of keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sourceHash(reordered(value))).toBe(sourceHash(value));
      }),
    );
  });

  it("survives the way through JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sourceHash(JSON.parse(JSON.stringify(value)))).toBe(sourceHash(value));
      }),
    );
  });

  it("differs where the values differ", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        fc.pre(JSON.stringify(sorted(one)) !== JSON.stringify(sorted(other)));
        expect(sourceHash(one)).not.toBe(sourceHash(other));
      }),
    );
  });

  it("keeps the order of lists, and tells a text from a number", () => {
    expect(sourceHash([1, 2])).not.toBe(sourceHash([2, 1]));
    expect(sourceHash({ a: "1" })).not.toBe(sourceHash({ a: 1 }));
  });

  it("refuses what is no JSON", () => {
    expect(() => sourceHash(undefined)).toThrow(TypeError);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return entries.map(([name, member]) => [name, sorted(member)]);
}

describe("idempotencyKey", () => {
  const parts = fc.record({
    tenant: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/),
    task_id: fc.stringMatching(/^task_[0-9a-hjkmnp-tv-z]{26}$/),
    step: fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/),
    round: fc.nat(9),
    source_hash: fc.stringMatching(/^[0-9a-f]{64}$/),
  });

  it("changes with each of its parts, and with nothing else", () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(idempotencyKey({ ...other, ...one, more: 1 } as typeof one)).toBe(idempotencyKey(one));
        for (const name of Object.keys(one) as (keyof typeof one)[]) {
          if (one[name] === other[name]) continue;
          expect(idempotencyKey({ ...one, [name]: other[name] })).not.toBe(idempotencyKey(one));
        }
      }),
    );
  });

  it("does not run its parts into one another", () => {
    const base = { task_id: "t", round: 0, source_hash: "0" };
    expect(idempotencyKey({ ...base, tenant: "ab", step: "c" })).not.toBe(
      idempotencyKey({ ...base, tenant: "a", step: "bc" }),
    );
  });
});
