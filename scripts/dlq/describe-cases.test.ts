import { describe, expect, it } from "vitest";
import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { describeCases } from "./describe-cases.ts";
import { demandChoice, parseSince } from "./options.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");
const one = (id: string, changes: Partial<DeadLetterCase> = {}) =>
  ({
    id,
    code: "BLOB_MISSING",
    message: "x is not in the bucket",
    fingerprint: "f".repeat(64),
    first_at: "2026-01-01T00:00:00Z",
    last_at: "2026-01-01T00:05:00Z",
    failure: undefined,
    letter: { service: "buildtest", tenant: "acme", envelope: undefined },
    ...changes,
  }) as DeadLetterCase;

describe("the list of dead letters", () => {
  it("groups what failed alike, the most frequent kind first", () => {
    const rare = one("c", { code: "RARE_FAULT", fingerprint: "a".repeat(64) });
    const lines = describeCases([rare, one("a"), one("b")], NOW);
    expect(lines[1]).toMatch(/^2 +buildtest +BLOB_MISSING +10 min ago +5 min ago +ffffffffffff +x is not/);
    expect(lines[2]).toMatch(/^1 +buildtest +RARE_FAULT/);
    expect(lines.filter((line) => /^[abc] /.test(line))).toHaveLength(3);
  });

  it("says so when there are none", () => {
    expect(describeCases([], NOW)).toEqual(["No dead letters."]);
  });

  it("lets no line break and no terminal control of a message through", () => {
    const lines = describeCases([one("a", { message: "one\n\u001b[2Jtwo" })], NOW);
    expect(lines.join("")).not.toMatch(/\p{Cc}/u);
  });
});

describe("options", () => {
  it("take a time ago or an instant, and nothing else", () => {
    expect(parseSince("15m", NOW)).toBe(NOW - 900_000);
    expect(parseSince("2026-01-01T00:00:00Z", NOW)).toBe(NOW - 600_000);
    expect(() => parseSince("yesterday", NOW)).toThrow("Give a time such as");
  });

  it("must say which messages are meant before anything is changed", () => {
    expect(() => demandChoice([], { limit: 1 })).toThrow("Say which messages");
    for (const chosen of [{ all: true }, { code: "X" }, { service: "codegen" }])
      expect(() => demandChoice([], { limit: 1, ...chosen })).not.toThrow();
    expect(() => demandChoice(["id"], { limit: 1 })).not.toThrow();
  });
});
