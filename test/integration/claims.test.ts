import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { ClaimRequest, Claims, Lease } from "#lib/resilience/idempotency/step-claims.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import type { StepOutcome } from "#schemas/records/step.ts";
import { realTable } from "../fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
let now = 1_700_000_000_000;
let task = 0;
const runtime = { ...systemRuntime, now: () => now };
const passed: StepOutcome = { verdict: "passed", artifacts: [], output: { a: 1 } };

beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());

let claims: Claims;
let key: ClaimRequest["key"];
beforeEach(() => {
  task += 1;
  key = { tenant: "acme", task_id: `task_${String(task).padStart(26, "0")}`, step: "codegen", round: 0 };
  claims = stepClaims({ ...store, runtime });
});

const request = (owner: string, changes: Partial<ClaimRequest> = {}): ClaimRequest => ({
  key,
  service: "codegen",
  idempotency_key: "b".repeat(64),
  source_hash: "a".repeat(64),
  expires_at: Math.floor(now / 1000) + 86_400,
  owner,
  lease_ms: 10_000,
  attempts_max: 3,
  ...changes,
});
const claimed = async (owner: string): Promise<Lease> => {
  const result = await claims.claim(request(owner));
  if (result.kind !== "claimed") throw new Error(`not claimed: ${result.kind}`);
  return result.lease;
};

describe("claims on a step", () => {
  it("are won by one of many at the same time", async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, n) => claims.claim(request(`w${n}`))));
    expect(results.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === "wait")).toHaveLength(19);
  });

  it("answer a duplicate with the recorded outcome", async () => {
    await claims.complete(key, await claimed("one"), passed);
    expect(await claims.claim(request("two"))).toEqual({
      kind: "completed",
      outcome: passed,
      attempts: 1,
    });
  });

  it("tell a duplicate how long the owner's lease lasts", async () => {
    await claimed("one");
    expect(await claims.claim(request("two"))).toEqual({
      kind: "wait",
      until_ms: now + 10_000,
      parked: false,
    });
  });

  it("refuse the same step with another input", async () => {
    await claimed("one");
    const other = claims.claim(request("two", { source_hash: "c".repeat(64) }));
    await expect(other).rejects.toMatchObject({ code: "IDEMPOTENCY_MISMATCH", disposition: "terminal" });
  });

  it("pass to another worker when the lease ran out, and fence the first one out", async () => {
    const frozen = await claimed("frozen");
    now += 10_001;
    const next = await claimed("next");
    expect([next.fence, next.attempt]).toEqual([frozen.fence + 1, 2]);
    await expect(claims.renew(key, frozen, 10_000)).rejects.toBeInstanceOf(LeaseLost);
    await expect(claims.complete(key, frozen, passed)).rejects.toBeInstanceOf(LeaseLost);
    await claims.complete(key, next, passed);
    await expect(claims.complete(key, frozen, passed)).rejects.toBeInstanceOf(LeaseLost);
  });

  it("hold as long as they are renewed", async () => {
    const lease = await claimed("one");
    now += 9000;
    await claims.renew(key, lease, 10_000);
    now += 9000;
    expect(await claims.claim(request("two"))).toMatchObject({ kind: "wait" });
  });

  it("take a repeated completion of the owner for done", async () => {
    const lease = await claimed("one");
    await claims.complete(key, lease, passed);
    await expect(claims.complete(key, lease, passed)).resolves.toBeUndefined();
  });

  it("come back after a release at the time it says, with the attempt counted", async () => {
    const lease = await claimed("one");
    const next = { retry_at_ms: now + 5000, code: "SOME_FAULT", message: "m", parked: false };
    await claims.release(key, lease, next);
    expect(await claims.claim(request("two"))).toMatchObject({
      kind: "wait",
      until_ms: now + 5000,
      parked: false,
    });
    now += 5001;
    expect((await claimed("two")).attempt).toBe(2);
  });

  it("cost no attempt when the work was only parked", async () => {
    const lease = await claimed("one");
    const next = { retry_at_ms: now, code: "CIRCUIT_OPEN", message: "m", parked: true };
    await claims.release(key, lease, next);
    now += 1;
    const again = await claimed("two");
    expect([again.attempt, again.history_length]).toEqual([1, 1]);
  });

  it("are exhausted once every attempt died, and then end once", async () => {
    for (const owner of ["one", "two", "three"]) {
      await claimed(owner);
      now += 10_001;
    }
    const result = await claims.claim(request("four"));
    if (result.kind !== "exhausted") throw new Error(result.kind);
    const outcome: StepOutcome = { verdict: "error", code: "ATTEMPTS_EXHAUSTED", artifacts: [] };
    expect(await claims.completeExhausted(result.record, outcome)).toBe(true);
    expect(await claims.completeExhausted(result.record, outcome)).toBe(false);
  });

  it("end when the task is canceled, whether running or never begun", async () => {
    const lease = await claimed("one");
    expect(await claims.cancel(request("unused"))).toBe(true);
    await expect(claims.complete(key, lease, passed)).rejects.toBeInstanceOf(LeaseLost);
    expect(await claims.claim(request("two"))).toEqual({ kind: "canceled" });
    key = { ...key, step: "never" };
    expect(await claims.cancel(request("unused"))).toBe(true);
    expect(await claims.claim(request("late"))).toEqual({ kind: "canceled" });
  });

  it("cannot be canceled after they completed", async () => {
    await claims.complete(key, await claimed("one"), passed);
    expect(await claims.cancel(request("unused"))).toBe(false);
  });

  it("start afresh when the record is past its time, whether DynamoDB deleted it or not", async () => {
    await claims.complete(key, await claimed("one"), passed);
    now += 2 * 86_400_000;
    expect(await claimed("two")).toMatchObject({ attempt: 1 });
    now += 86_400_000;
    expect(await claims.claim(request("three", { source_hash: "c".repeat(64) }))).toMatchObject({
      kind: "claimed",
    });
  });

  it("leave no ledger without its task", async () => {
    await claimed("one");
    expect(await readLedger(key.tenant, key.task_id, { ...store, runtime })).toBeUndefined();
  });
});
