import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeIssue, describeIssues } from "./issue-sentence.ts";

/** What is said of `value`. */
function saidOf(schema: z.ZodType, value: unknown): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) throw new Error("it was accepted");
  return describeIssues(parsed.error);
}

const file = (bytes: number) => new File(["x".repeat(bytes)], "file");
const LETTER = z
  .string()
  .regex(/^[a-z]$/)
  .describe("one small letter");

/** Every code of an issue, with each of its variants that has a sentence of its own. */
const CASES: Record<z.core.$ZodIssue["code"], [schema: z.ZodType, value: unknown, said: string][]> = {
  invalid_type: [
    [z.string(), 5, "must be a text; a number came"],
    [z.string(), undefined, "is missing; it must be a text"],
    [z.object({ a: z.object({ b: z.int() }) }), { a: {} }, "/a/b: is missing; it must be a number"],
    [z.int(), 1.5, "must be a whole number; 1.5 came"],
    [z.number(), "5", "must be a number; a text of 1 character came"],
    [z.number(), Number.NaN, "must be a number; NaN came"],
    [z.number(), Number.POSITIVE_INFINITY, "must be a number; Infinity came"],
    [z.boolean(), "true", "must be true or false; a text of 4 characters came"],
    [z.null(), 0, "must be null; a number came"],
    [z.array(z.int()), {}, "must be a list; an object came"],
    [z.object({}), [], "must be an object; a list came"],
    [z.record(z.string(), z.int()), null, "must be an object; null came"],
    [z.date(), true, "must be a date; true or false came"],
    [z.date(), new Date(Number.NaN), "must be a date; no date came"],
    [z.bigint(), 1, "must be a whole number of any size; a number came"],
    [z.map(z.string(), z.int()), new Set(), "must be a map; a set came"],
    [z.never(), 1, "must be absent; a number came"],
    [z.undefined(), "x", "must be absent; a text of 1 character came"],
    [z.nan(), 1, "must be NaN; a number came"],
    [z.instanceof(URL), "http://x", "must be a URL; a text of 8 characters came"],
    [z.object({ a: z.string().optional() }).required(), {}, "/a: is missing"],
    [z.record(z.enum(["a", "b"]), z.int()), { a: 1 }, "/b: is missing; it must be a number"],
  ],
  invalid_value: [
    [z.enum(["a", "b"]), "c", 'must be one of "a", "b"; "c" came'],
    [z.enum(["a", "b"]), undefined, 'must be one of "a", "b"; nothing came'],
    [z.enum(["a", "b"]), ["a"], 'must be one of "a", "b"; a list came'],
    [z.enum(["a", "b"]), "x".repeat(99), `must be one of "a", "b"; "${"x".repeat(60)}…" came`],
    [z.literal("a"), "secret", 'must be "a"; a text of 6 characters came'],
    [z.literal([1, null]), 2, "must be one of 1, null; 2 came"],
    [
      z.enum(Array.from({ length: 32 }, (_, index) => `v${index}`) as [string]),
      1,
      `must be one of ${Array.from({ length: 30 }, (_, index) => `"v${index}"`).join(", ")}, and 2 more; 1 came`,
    ],
  ],
  too_small: [
    [z.number().min(1), 0, "must be at least 1; 0 came"],
    [z.number().gt(1), 1, "must be more than 1; 1 came"],
    [z.bigint().min(4n), 3n, "must be at least 4; 3 came"],
    [
      z.date().min(new Date(0)),
      new Date(-1),
      "must be at least 1970-01-01T00:00:00.000Z; 1969-12-31T23:59:59.999Z came",
    ],
    [z.string().min(1), "", "must not be empty: at least 1 character"],
    [z.string().min(3), "ab", "must have at least 3 characters; it has 2"],
    [z.string().length(3), "ab", "must have exactly 3 characters; it has 2"],
    [z.array(z.int()).min(2), [1], "must have at least 2 items; it has 1"],
    [z.tuple([z.int(), z.int()]), [1], "must have at least 2 items; it has 1"],
    [z.set(z.int()).min(1), new Set(), "must not be empty: at least 1 item"],
    [z.map(z.int(), z.int()).min(2), new Map([[1, 1]]), "must have at least 2 entries; it has 1"],
    [z.file().min(5), file(1), "must have at least 5 bytes; it has 1"],
  ],
  too_big: [
    [z.number().max(5), 6, "must be at most 5; 6 came"],
    [z.number().lt(5), 5, "must be less than 5; 5 came"],
    [z.int(), 2 ** 60, `must be at most ${Number.MAX_SAFE_INTEGER}; ${2 ** 60} came`],
    [z.string().max(1), "ab", "must have at most 1 character; it has 2"],
    [z.array(z.int()).length(1), [1, 2], "must have exactly 1 item; it has 2"],
    [z.tuple([z.int()]), [1, 2], "must have at most 1 item; it has 2"],
    [z.file().max(1), file(2), "must have at most 1 byte; it has 2"],
  ],
  not_multiple_of: [[z.number().multipleOf(5), 7, "must be a multiple of 5; 7 came"]],
  invalid_format: [
    [LETTER, "Ä", "must be one small letter; a text of 1 character came"],
    [
      z.object({ a: LETTER.optional() }),
      { a: "12" },
      "/a: must be one small letter; a text of 2 characters came",
    ],
    [z.string().regex(/^a$/), "b", "must match the pattern /^a$/; a text of 1 character came"],
    [z.string().startsWith("/"), "b", 'must begin with "/"; a text of 1 character came'],
    [z.string().endsWith("/"), "b", 'must end with "/"; a text of 1 character came'],
    [z.string().includes("/"), "b", 'must contain "/"; a text of 1 character came'],
    [z.url(), "b", "must be a URL; a text of 1 character came"],
    [
      z.iso.datetime(),
      "b",
      "must be a date and time, as in 2026-01-31T09:30:00Z; a text of 1 character came",
    ],
    [z.ulid(), "b", "must be in the format ulid; a text of 1 character came"],
    [z.templateLiteral(["a", z.int()]), "b", "must match the pattern ^a-?\\d+$; a text of 1 character came"],
  ],
  unrecognized_keys: [
    [z.strictObject({}), { colour: 1 }, 'has an unknown field: "colour"'],
    [z.object({ a: z.strictObject({}) }), { a: { b: 1, c: 1 } }, '/a: has unknown fields: "b", "c"'],
  ],
  invalid_union: [
    [
      z.union([z.string(), z.int()]),
      true,
      "fits none of the allowed forms (must be a text; true or false came, or must be a number; true or false came)",
    ],
    [
      z.object({ at: z.union([z.literal(""), z.literal("none")]) }),
      { at: "a short secret" },
      '/at: fits none of the allowed forms (must be ""; a text of 14 characters came, or must be "none"; a text of 14 characters came)',
    ],
    [
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") }), z.object({ kind: z.literal("b") })]),
      { kind: "c" },
      '/kind: must be one of "a", "b"; "c" came',
    ],
    [
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a") }), z.object({ kind: z.literal("b") })]),
      {},
      '/kind: must be one of "a", "b"; nothing came',
    ],
    [z.object({ fix: z.union([z.string(), z.object({})]) }), {}, "/fix: is missing"],
    [z.xor([z.string(), z.string()]), "x", "fits several of the allowed forms, and must fit one"],
  ],
  invalid_key: [
    [
      z.record(LETTER, z.int()),
      { "a/b": 1 },
      "/a~1b: has a name that is not allowed: must be one small letter; a text of 3 characters came",
    ],
    [
      z.map(z.object({ a: z.int() }), z.int()),
      new Map([[{}, 1]]),
      "has a name that is not allowed: is missing; it must be a number",
    ],
  ],
  invalid_element: [
    [
      z.map(z.object({}), z.int()),
      new Map([[{}, "x"]]),
      "has an entry that is not allowed: must be a number; a text of 1 character came",
    ],
  ],
  custom: [
    [z.string().refine(() => false), "x", "is not allowed here"],
    [z.string().refine(() => false, "must be a word"), "x", "must be a word"],
    [z.custom<`${number}px`>(() => false).describe("a length in pixels"), "x", "must be a length in pixels"],
  ],
};

describe("what is said of data that a schema refuses", () => {
  it.each(Object.entries(CASES))("has a sentence of ours for every %s", (code, cases) => {
    for (const [schema, value, said] of cases) {
      expect(saidOf(schema, value)).toBe(said);
      const issues = schema.safeParse(value).error?.issues.map((issue) => issue.code);
      expect(issues).toContain(code);
    }
  });

  it("keeps the sentence that a schema has itself", () => {
    expect(saidOf(z.string("give a name"), 5)).toBe("give a name");
    expect(saidOf(z.string().min(3, "give three"), "a")).toBe("give three");
  });

  it("tells the first faults of many, and how many there are besides", () => {
    const { error } = z.array(z.string()).safeParse([1, 2, 3, 4]);
    expect(error && describeIssues(error, 1)).toBe("/0: must be a text; a number came; and 3 more");
    expect(error && describeIssue(error.issues[3]!)).toBe("/3: must be a text; a number came");
  });

  it("repeats no secret", () => {
    const keys = z.object({ key: z.union([z.literal(""), z.string().regex(/^sk-/), z.url()]) });
    expect(saidOf(keys, { key: "hunter2" })).not.toContain("hunter2");
  });

  it("is valid Unicode whatever the names", () => {
    expect(saidOf(z.strictObject({}), { "\ud800": 1 }).isWellFormed()).toBe(true);
    expect(saidOf(z.enum(["a", "b"]), "\ud800").isWellFormed()).toBe(true);
  });
});
