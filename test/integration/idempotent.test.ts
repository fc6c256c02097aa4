import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { type IdempotentOptions, idempotent } from "#lib/resilience/idempotency/run-once.ts";
import { realTable } from "../fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());

interface Order {
  id: string | undefined;
  amount: number;
}
let now = 1_700_000_000_000;
let order: Order = { id: "", amount: 5 };
let count = 0;
let remaining_ms = 30_000;
let calls: Order[];
beforeEach(() => {
  count += 1;
  order = { id: `order-${count}`, amount: 5 };
  remaining_ms = 30_000;
  calls = [];
});
const context = { getRemainingTimeInMillis: () => remaining_ms } as Context;

const guarded = (changes: Partial<IdempotentOptions<Order>> = {}) =>
  idempotent<Order>({
    ...store,
    namespace: "orders",
    key: ({ id }) => id,
    runtime: { ...systemRuntime, now: () => now },
    ...changes,
  });
const pay = async (event: Order) => {
  calls.push(event);
  return { paid: calls.length };
};

describe("idempotent, around any handler", () => {
  it("answers a duplicate without calling the handler", async () => {
    const handler = middy(pay).use(guarded());
    expect(await handler(order, context)).toEqual({ paid: 1 });
    expect(await handler({ ...order }, context)).toEqual({ paid: 1 });
    expect(calls).toHaveLength(1);
  });

  it("does so when the response is nothing", async () => {
    const handler = middy(async (event: Order) => void calls.push(event)).use(guarded());
    expect(await handler(order, context)).toBeUndefined();
    expect(await handler(order, context)).toBeUndefined();
    expect(calls).toHaveLength(1);
  });

  it("lets an event without a key pass, as often as it comes", async () => {
    const handler = middy(pay).use(guarded());
    await handler({ id: undefined, amount: 5 }, context);
    await handler({ id: undefined, amount: 5 }, context);
    expect(calls).toHaveLength(2);
  });

  it("takes what decides the result from the event", async () => {
    const whole = middy(pay).use(guarded());
    await whole(order, context);
    const mismatch = { code: "IDEMPOTENCY_MISMATCH" };
    await expect(whole({ ...order, amount: 6 }, context)).rejects.toMatchObject(mismatch);
    const id_only = middy(pay).use(guarded({ namespace: "by-id", source: ({ id }) => id }));
    expect(await id_only(order, context)).toEqual(await id_only({ ...order, amount: 6 }, context));
  });

  it("hands on the handler's error and frees the key for the next try", async () => {
    let fails = true;
    const handler = middy(async (event: Order) => {
      if (fails) throw new Error("no paper");
      return pay(event);
    }).use(guarded());
    await expect(handler(order, context)).rejects.toThrow("no paper");
    fails = false;
    expect(await handler(order, context)).toEqual({ paid: 1 });
  });

  it("learns of an error that an error handler used before it answers", async () => {
    const answering = { onError: () => "sorry" };
    const failing = middy(async (): Promise<string> => Promise.reject(new Error("no")));
    const handler = failing.use(answering).use(guarded());
    expect(await handler(order, context)).toBe("sorry");
    expect(await middy(pay).use(guarded())(order, context)).toEqual({ paid: 1 });
  });

  it("tells a duplicate at the same time when to come back", async () => {
    let end: (value: string) => void = () => undefined;
    const slow = vi.fn(() => new Promise<string>((resolve) => (end = resolve)));
    const handler = middy(slow).use(guarded({ lease_seconds: 10 }));
    const first = handler(order, context);
    await expect.poll(() => slow.mock.calls.length).toBe(1);
    const busy = { code: "IN_PROGRESS", retry_after_ms: 10_000 };
    await expect(handler(order, context)).rejects.toMatchObject(busy);
    end("done");
    expect(await first).toBe("done");
  });

  it("leases no longer than the invocation lasts", async () => {
    remaining_ms = 3000;
    let end: (value: string) => void = () => undefined;
    const slow = vi.fn(() => new Promise<string>((resolve) => (end = resolve)));
    const handler = middy(slow).use(guarded());
    const first = handler(order, context);
    await expect.poll(() => slow.mock.calls.length).toBe(1);
    await expect(handler(order, context)).rejects.toMatchObject({ retry_after_ms: 3000 });
    now += 3001;
    expect(await middy(pay).use(guarded())(order, context)).toEqual({ paid: 1 });
    end("late");
    await expect(first).rejects.toMatchObject({ code: "LEASE_LOST" });
  });

  it("hands on the error of its store and does not call the handler", async () => {
    const handler = middy(pay).use(guarded({ table_name: "nowhere" }));
    await expect(handler(order, context)).rejects.toThrow();
    expect(calls).toHaveLength(0);
  });
});

describe("docs/guides/idempotency.md", () => {
  it("has an example that works as it stands", async () => {
    const [, example = ""] = readFileSync("docs/guides/idempotency.md", "utf8").split(/^```(?:ts)?$/m);
    expect(example.trim().split("\n").length).toBeLessThanOrEqual(20);
    const endpoint = await store.table.config.endpoint?.();
    const port = endpoint?.port ? `:${endpoint.port}` : "";
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", `http://${endpoint?.hostname}${port}`);
    vi.stubEnv("AWS_REGION", "us-east-1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    vi.stubEnv("TABLE_NAME", store.table_name);
    mkdirSync(".local", { recursive: true });
    const folder = mkdtempSync(".local/guide-"); // in the repository, for its #imports
    const file = resolve(join(folder, "example.ts"));
    try {
      writeFileSync(file, example);
      const { handler } = await import(file);
      const first = await handler({ id: "one", amount: 5 }, context);
      expect(first).toMatchObject({ payment: "of one" });
      expect(await handler({ id: "one", amount: 5 }, context)).toEqual(first);
      await expect(handler({ id: "one", amount: 6 }, context)).rejects.toThrow("another input");
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
