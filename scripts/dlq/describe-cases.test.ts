import { describe, expect, it } from "vitest";
import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { describeCases, describeExplanation } from "./describe-cases.ts";
import { demandChoice, parseSince } from "./options.ts";

/** Sets the clipboard, makes a link, clears, turns the text around, and begins a line that looks like one of ours. */
const EVIL =
  "x\u001b]52;c;ZXZpbA==\u0007\u001b]8;;mailto:evil@x.test\u001b\\y\u001b[2J\u009b2J\r\u202e\u2028\u200b\u{e0041}\b\n✓ passed\r\nCOUNT";
/** No line break either: each entry is one line. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u;
const LETTER = { service: true, tenant: true };

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

  it.each(["id", "code", "message", "fingerprint", "service", "tenant", "step", "task"])(
    "lets no %s begin a line of its own or act on a terminal, and spells it out",
    (field) => {
      const letter = { service: "buildtest", tenant: "acme", ...(field in LETTER && { [field]: EVIL }) };
      const envelope = { step: "x", round: 0, task_id: "t", ...(field === "step" && { step: EVIL }) };
      if (field === "task") envelope.task_id = EVIL;
      const changes = field in LETTER || field === "step" || field === "task" ? {} : { [field]: EVIL };
      const hostile = one("a", { ...changes, letter: { ...letter, envelope } as never });
      const harmless = one("b", { last_at: "2026-01-01T00:04:00Z", fingerprint: "a".repeat(64) });
      const lines = describeCases([hostile, harmless], NOW);
      expect(lines).toHaveLength(7);
      expect(lines.join("")).not.toMatch(ACTIVE);
      expect(lines.join("")).toContain("\\x1b]52;c;"); // every field is shown in a table
    },
  );

  it("spells out what one of them says, its causes, its body and what a replay would do", () => {
    const failure = {
      cause_chain: [EVIL, EVIL],
      function_name: EVIL,
      request_id: EVIL,
      policy_hash: EVIL,
      receives: 1,
      replay_count: 0,
    };
    const letter = { service: EVIL, tenant: EVIL, body: EVIL, envelope: undefined };
    const hostile = one(EVIL, { code: EVIL, message: EVIL, failure, letter } as never);
    const plan = { kind: "keep", reason: "unreadable", sentence: EVIL };
    const task = { status: "failed", error: { code: EVIL, message: EVIL } };
    const step = { status: "completed", attempts: 1, outcome: { verdict: "error", code: EVIL } };
    const lines = describeExplanation({ one: hostile, task, step, plan } as never);
    expect(lines.join("")).not.toMatch(ACTIVE);
    const words = lines.map((line) => line.trim().split(/ {2,}|: | /)[0]);
    expect(words).not.toContain("✓");
    expect(lines.filter((line) => line.includes("\\x1b]52;c;")).length).toBeGreaterThan(8);
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
