import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TerminalFault, ThrottledFault } from "#lib/platform/errors/fault.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { onceItem } from "#lib/resilience/idempotency/once-record.ts";
import { type Attempt, InProgress, type OnceOptions, runOnce } from "#lib/resilience/idempotency/run-once.ts";
import { IdempotencyRecord } from "#schemas/records/idempotency.ts";
import { realTable } from "../fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());

let now = 1_700_000_000_000;
let count = 0;
let key = "";
let options: OnceOptions;
let effects: Attempt[];
beforeEach(() => {
  count += 1;
  key = `order-${count}`;
  effects = [];
  const runtime = { ...systemRuntime, now: () => now };
  options = { ...store, namespace: "orders", lease_seconds: 10, expires_after_seconds: 3600, runtime };
});

/** Work that counts its effects. */
async function charge(attempt: Attempt) {
  effects.push(attempt);
  return { charged: effects.length };
}
const never = () => new Promise<never>(() => undefined);
const item = async (changes: Partial<OnceOptions> = {}) => {
  const { key: Key } = onceItem({ ...options, ...changes }.namespace, key);
  const read = new GetCommand({ TableName: store.table_name, Key, ConsistentRead: true });
  const { pk: _pk, sk: _sk, ...record } = (await store.table.send(read)).Item ?? {};
  return _pk === undefined ? undefined : IdempotencyRecord.parse(record);
};
/** Starts work that does not end; answers when it has begun. */
const begin = () =>
  new Promise<Attempt>((begun, reject) => {
    runOnce(options, key, 1, (attempt) => {
      begun(attempt);
      return never();
    }).catch(reject);
  });

describe("runOnce", () => {
  it("does the work of a key once and answers duplicates with its response", async () => {
    expect(await runOnce(options, key, { amount: 5 }, charge)).toEqual({ charged: 1 });
    expect(await runOnce(options, key, { amount: 5 }, charge)).toEqual({ charged: 1 });
    expect(effects).toHaveLength(1);
  });

  it("keeps a response of nothing too", async () => {
    const nothing = async (attempt: Attempt) => void effects.push(attempt);
    expect(await runOnce(options, key, 1, nothing)).toBeUndefined();
    expect(await runOnce(options, key, 1, nothing)).toBeUndefined();
    expect(effects).toHaveLength(1);
  });

  it("does other keys, and the same key of another namespace, by themselves", async () => {
    await runOnce(options, key, 1, charge);
    await runOnce({ ...options, namespace: "refunds" }, key, 1, charge);
    await runOnce(options, `${key}-b`, 1, charge);
    expect(effects).toHaveLength(3);
  });

  it("refuses a key that comes back with another source, whether the first runs or has ended", async () => {
    await begin();
    const mismatch = { code: "IDEMPOTENCY_MISMATCH", disposition: "terminal" };
    await expect(runOnce(options, key, 2, charge)).rejects.toMatchObject(mismatch);
    now += 10_001;
    await runOnce(options, key, 1, charge);
    await expect(runOnce(options, key, 2, charge)).rejects.toMatchObject(mismatch);
    expect(effects).toHaveLength(1);
  });

  it.each([
    ["", 0],
    ["x".repeat(1501), 1501],
  ])("refuses a key it cannot use (%#)", async (unusable) => {
    const refused = { code: "IDEMPOTENCY_KEY_UNUSABLE" };
    await expect(runOnce(options, unusable, 1, charge)).rejects.toMatchObject(refused);
    expect(effects).toHaveLength(0);
  });

  it("is won by one of many at the same time; the others are told when to come back", async () => {
    const slow = async (attempt: Attempt) => {
      effects.push(attempt);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return "won";
    };
    const calls = Array.from({ length: 20 }, () => runOnce(options, key, 1, slow));
    const results = await Promise.allSettled(calls);
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(effects).toHaveLength(1);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) {
      expect(error).toBeInstanceOf(InProgress);
      expect(error).toMatchObject({ code: "IN_PROGRESS", disposition: "park", retry_after_ms: 10_000 });
    }
  });

  it("repeats work whose process died after the effect, once its lease has ended", async () => {
    const crashed = await begin();
    await expect(runOnce(options, key, 1, charge)).rejects.toBeInstanceOf(InProgress);
    now += 10_001;
    await runOnce(options, key, 1, charge);
    expect(effects).toMatchObject([{ fence: crashed.fence + 1, attempt: 2 }]);
  });

  it("lets nobody complete, renew or release on a token that was passed on", async () => {
    let thaw: (value: string) => void = () => undefined;
    let freeze: (error: Error) => void = () => undefined;
    const frozen = runOnce(options, key, 1, () => new Promise<string>((resolve) => (thaw = resolve)));
    await expect.poll(() => item()).toBeDefined();
    now += 10_001;
    const second = runOnce(options, key, 1, () => new Promise<string>((_, reject) => (freeze = reject)));
    await expect.poll(async () => (await item())?.fence).toBe(2);
    thaw("late");
    await expect(frozen).rejects.toBeInstanceOf(LeaseLost);
    expect(await item()).toMatchObject({ status: "running", fence: 2 });

    now += 10_001;
    expect(await runOnce(options, key, 1, charge)).toEqual({ charged: 1 });
    freeze(new Error("late failure"));
    await expect(second).rejects.toThrow("late failure");
    expect(await item()).toMatchObject({ status: "completed", fence: 3 });
    expect(await runOnce(options, key, 1, charge)).toEqual({ charged: 1 });
  });

  it("frees the key at once when the work fails, and counts the attempt", async () => {
    const failing = runOnce(options, key, 1, () => Promise.reject(new Error("out of paper")));
    await expect(failing).rejects.toThrow("out of paper");
    expect(await item()).toMatchObject({ status: "waiting", last_error: { message: "out of paper" } });
    await runOnce(options, key, 1, charge);
    expect(effects).toMatchObject([{ attempt: 2 }]);
    expect(await item()).not.toHaveProperty("last_error");
  });

  it("frees it no sooner than the failure allows", async () => {
    const fault = new ThrottledFault("MODEL_THROTTLED", "too fast", { retry_after_ms: 5000 });
    await expect(runOnce(options, key, 1, () => Promise.reject(fault))).rejects.toBe(fault);
    await expect(runOnce(options, key, 1, charge)).rejects.toMatchObject({ retry_after_ms: 5000 });
    now += 5001;
    await runOnce(options, key, 1, charge);
    expect(effects).toHaveLength(1);
  });

  it("gives a key up when its attempts are spent, by failure or by crash", async () => {
    options.attempts_max = 2;
    await expect(runOnce(options, key, 1, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await begin();
    now += 10_001;
    const spent = { code: "ATTEMPTS_EXHAUSTED", disposition: "terminal" };
    await expect(runOnce(options, key, 1, charge)).rejects.toMatchObject(spent);
    expect(effects).toHaveLength(0);
  });

  it("forgets a key when its time is over, although TTL has not removed it", async () => {
    await runOnce(options, key, 1, charge);
    now += 3_599_000;
    expect(await runOnce(options, key, 1, charge)).toEqual({ charged: 1 });
    now += 2_000;
    expect(await runOnce(options, key, "another", charge)).toEqual({ charged: 2 });
    expect(effects).toMatchObject([{ fence: 1 }, { fence: 2, attempt: 1 }]);
    expect((await item())?.expires_at).toBe(Math.ceil(now / 1000) + 3600);
  });

  it("never forgets a key that is being worked on", async () => {
    options = { ...options, expires_after_seconds: 1, lease_seconds: 100 };
    await begin();
    now += 50_000;
    await expect(runOnce(options, key, 1, charge)).rejects.toBeInstanceOf(InProgress);
  });

  it("lets one of many renew a forgotten key", async () => {
    await runOnce(options, key, 1, charge);
    now += 3_601_000;
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => runOnce(options, key, "new", charge)),
    );
    expect(effects).toHaveLength(2);
    const answers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    for (const answer of answers) expect(answer).toEqual({ charged: 2 });
  });

  it.each([
    ["RESPONSE_TOO_LARGE", "x".repeat(400_000)],
    ["RESPONSE_NOT_JSON", 10n],
  ])("does not repeat work whose response cannot be kept (%s)", async (code, response) => {
    const lines: string[] = [];
    const log = jsonLog({}, (line) => lines.push(line));
    const work = async (attempt: Attempt) => {
      effects.push(attempt);
      return response;
    };
    expect(await runOnce({ ...options, log }, key, 1, work)).toBe(response);
    expect(lines.join()).toContain("RESPONSE_NOT_KEPT");
    const duplicate = runOnce(options, key, 1, work);
    await expect(duplicate).rejects.toMatchObject({ code, disposition: "terminal" });
    await expect(duplicate).rejects.toBeInstanceOf(TerminalFault);
    expect(effects).toHaveLength(1);
  });
});

describe("the lease of runOnce", () => {
  it("is renewed while the work runs, so that no duplicate takes over", async () => {
    let end: (value: string) => void = () => undefined;
    options = { ...options, lease_seconds: 1, runtime: systemRuntime };
    const working = runOnce(options, key, 1, () => new Promise<string>((resolve) => (end = resolve)));
    await expect.poll(() => item()).toBeDefined();
    const first = (await item())?.lease_expires_at ?? 0;
    await expect.poll(() => Date.now() > first, { timeout: 20_000 }).toBe(true);
    await expect(runOnce(options, key, 1, charge)).rejects.toBeInstanceOf(InProgress);
    expect((await item())?.lease_expires_at).toBeGreaterThan(first);
    end("done");
    expect(await working).toBe("done");
  });

  it("tells the work when it is lost", async () => {
    options = { ...options, lease_seconds: 1, runtime: systemRuntime };
    const { signal } = await begin();
    const { key: item_key } = onceItem(options.namespace, key);
    const taken = { ...item_key, ...(await item()), owner: "somebody else", fence: 2 };
    await store.table.send(new PutCommand({ TableName: store.table_name, Item: taken }));
    await expect.poll(() => signal.aborted, { timeout: 20_000 }).toBe(true);
    expect(signal.reason).toBeInstanceOf(LeaseLost);
  });

  it("does not go beyond the invocation", async () => {
    options.remainingMs = () => 4000;
    await begin();
    expect((await item())?.lease_expires_at).toBe(now + 4000);
  });

  it("is left to end by itself when there is no time to write", async () => {
    options.remainingMs = () => 5;
    await expect(runOnce(options, key, 1, () => Promise.reject(new Error("time out")))).rejects.toThrow();
    expect(await item()).toMatchObject({ status: "running" });
  });
});

describe("a function that takes runOnce alone", () => {
  it("bundles less than 20 KB with it, beside the AWS SDK", async () => {
    const { outputFiles } = await build({
      entryPoints: ["lib/resilience/idempotency/run-once.ts"],
      bundle: true,
      minify: true,
      write: false,
      platform: "node",
      format: "esm",
      external: ["@aws-sdk/*"],
    });
    expect(outputFiles[0]?.contents.byteLength).toBeLessThan(20_000);
  });
});
