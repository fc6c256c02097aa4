import { describe, expect, it } from "vitest";
import { editMessage, mergePatch } from "#lib/agents/dlq/edit-payload.ts";
import { makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";

describe("a merge patch", () => {
  // The cases of RFC 7396, appendix A.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("of %j by %j is %j", (target, patch, merged) => {
    expect(mergePatch(target, patch)).toEqual(merged);
  });

  it("changes no prototype", () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":{"b":1}}}'));
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

const SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
const source = {
  kind: "archive",
  blob: { key: "tenants/acme/blobs/x", sha256: "0".repeat(64), bytes: 1 },
};

/** A failure of a build and test whose payload is this. */
function failureOf(payload: unknown, service = "buildtest") {
  const parent = { trace_id: "a".repeat(32), span_id: "b".repeat(16), sampled: true };
  const place = { task_id: `task_${"0".repeat(26)}`, step: "buildtest", round: 0, attempt: 0 };
  const labels = {
    service,
    role: "worker",
    shard: "0",
    tenant: "acme",
    deadline_at: "2026-01-01T00:00:00.000Z",
  };
  const envelope = makeEnvelope({ ...labels, ...place, payload, parent }, systemRuntime);
  const record = { service, last_at: "2026-01-01T00:00:00.000Z", body: JSON.stringify(envelope) };
  return { tenant: "acme", failure_id: "0".repeat(64), record: record as FailureRecord };
}

const ports = {
  blobsOf: () => {
    throw new Error("nothing is read");
  },
};
const edit = (payload: unknown, change: Parameters<typeof editMessage>[1], service?: string) =>
  editMessage(failureOf(payload, service), change, ports);

describe("an edited message", () => {
  const bad = { source, profile: "trusted", tests: 1, build: `curl -H "Bearer ${SECRET}"` };
  const good = { source, profile: "trusted", test: "make", build: bad.build };

  it("has the new payload, its own identity, and the trace of the original", async () => {
    const failure = failureOf(bad);
    const made = await editMessage(failure, { patch: { tests: null, test: "make" } }, ports);
    const original = JSON.parse(failure.record.body);
    if ("refused" in made) throw new Error(made.says);
    expect(made.edited).toMatchObject({ payload: good, trace_id: original.trace_id });
    expect(made.edited.source_hash).not.toBe(original.source_hash);
    expect(made.edited.idempotency_key).not.toBe(original.idempotency_key);
    expect(made.diff).toContain('-  "tests": 1');
    expect(made.diff).not.toContain(SECRET);
  });

  it("keeps a secret where the operator left it as it was shown", async () => {
    const shown = { source, profile: "trusted", test: "make", build: 'curl -H "Bearer [redacted]"' };
    expect(await edit(bad, { payload: shown })).toMatchObject({ edited: { payload: good } });
  });

  it.each([
    ["moved to another field", { ...good, build: "make", test: 'curl -H "Bearer [redacted]"' }, "/test"],
    ["changed around it", { ...good, build: 'wget -H "Bearer [redacted]"' }, "/build"],
    ["where there was none", { ...good, source: { ...source, kind: "[redacted]" } }, "/source/kind"],
  ])("refuses the mark of a secret %s", async (_, payload, path) => {
    const made = await edit(bad, { payload });
    expect(made).toMatchObject({ refused: "PAYLOAD_INVALID", errors: [{ path }] });
  });

  it.each([
    ["an unknown field", { ...good, tests: 1 }],
    ["a wrong type", { ...good, test: 1 }],
    ["a missing field", { profile: "trusted" }],
    ["more bytes than a step keeps", { ...good, test: "x".repeat(70_000) }],
  ])("is refused for %s", async (_, payload) => {
    expect(await edit(bad, { payload })).toMatchObject({ refused: "PAYLOAD_INVALID" });
  });

  it("is refused when nothing changes, for that would replay it without a limit", async () => {
    const { source: _, ...rest } = good;
    const reordered = { ...rest, source };
    expect(await edit(good, { payload: reordered })).toMatchObject({ refused: "EDIT_NOT_POSSIBLE" });
    expect(await edit(good, { patch: { tests: null } })).toMatchObject({ refused: "EDIT_NOT_POSSIBLE" });
  });

  it.each(["webhooks", "orchestrator", "toString"])("is refused for messages of %s", async (service) => {
    expect(await edit(good, { payload: {} }, service)).toMatchObject({ refused: "EDIT_NOT_POSSIBLE" });
  });

  it("is made of a payload that travels by reference", async () => {
    const failure = failureOf(bad);
    const { payload, ...rest } = JSON.parse(failure.record.body);
    const payload_ref = { key: "tenants/acme/blobs/y", sha256: "0".repeat(64), bytes: 1 };
    failure.record.body = JSON.stringify({ ...rest, payload_ref });
    const blobsOf = () => ({ readText: async () => JSON.stringify(payload) }) as never;
    const made = await editMessage(failure, { patch: { tests: null, test: "make" } }, { blobsOf });
    expect(made).toMatchObject({ edited: { payload: good } });
    expect("edited" in made && made.edited.payload_ref).toBeUndefined();
  });

  it("is refused for a message that cannot be read", async () => {
    const failure = failureOf(good);
    failure.record.body = "<script>";
    expect(await editMessage(failure, { payload: good }, ports)).toMatchObject({
      refused: "EDIT_NOT_POSSIBLE",
    });
  });
});
