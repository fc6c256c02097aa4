import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { addUpCounts, GRACE_MS } from "#lib/platform/metrics/add-up-counts.ts";
import {
  addCounts,
  addedUp,
  type CountRow,
  readTotals,
  readWindow,
} from "#lib/platform/metrics/count-store.ts";
import { BLOCK_MS, windowOf } from "#lib/platform/metrics/count-windows.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { readForAlerts } from "#lib/work/observation/alert-readings.ts";
import { realTable } from "../fakes/real-table.ts";

const START_MS = Date.UTC(2026, 0, 31, 11, 57, 30);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const stores: { close(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
});

let store: Awaited<ReturnType<typeof realTable>>;
let now: number;
let ports: TablePorts & { runtime: { now(): number } };
beforeEach(async () => {
  store = await realTable();
  stores.push(store);
  now = START_MS;
  ports = { ...store, runtime: { now: () => now } };
});

/** Counts as an environment of this slot would write them now. */
async function count(
  tenant: string,
  passed: number,
  { service = "codegen", slot = 0, duration_ms = 40 } = {},
) {
  const counters = makeCounters();
  counters.count("steps_passed", tenant, passed);
  counters.duration("step", tenant, duration_ms);
  const amounts = new Map(counters.entries().map(({ metric, amount }) => [metric, amount]));
  await addCounts({ service, role: "worker", shard: "0", slot, tenant, amounts }, now, ports);
}

const passedIn = (rows: readonly CountRow[], tenant: string) =>
  addedUp(rows)
    .filter((row) => row.tenant === tenant)
    .reduce((sum, { amounts }) => sum + (amounts.get("steps_passed") ?? 0), 0);

const total = async (tenant: string, of: string | undefined = tenant) =>
  passedIn((await readTotals(of, now, ports)).rows, tenant);

const inWindow = async (tenant: string, length_ms: number, of: string | undefined = tenant) =>
  passedIn((await readWindow(windowOf(length_ms, now), of, ports)).rows, tenant);

describe("totals", () => {
  it("hold what was counted before, while and after it is added up, by tenant and for all", async () => {
    await count("acme", 3);
    await count("acme", 4, { slot: 2 });
    await count("acme-two", 100);
    expect([await total("acme"), await total("acme", undefined)]).toEqual([7, 7]);
    now += BLOCK_MS + GRACE_MS;
    await count("acme", 5);
    await addUpCounts(ports);
    await count("acme", 1);
    expect([await total("acme"), await total("acme", undefined), await total("acme-two")]).toEqual([
      13, 13, 100,
    ]);
  });

  it("take a block once, however many add it up at once and however often one dies over it", async () => {
    for (let minute = 0; minute < 30; minute += 1) {
      await count(`tenant-${minute % 3}`, 1);
      now += MINUTE_MS;
    }
    now += BLOCK_MS + GRACE_MS;
    let sends = 0;
    const dying = {
      ...ports,
      table: {
        send: (command: never) => {
          sends += 1;
          if (sends % 7 === 0) throw new Error("killed");
          return ports.table.send(command);
        },
      } as never,
    };
    for (let tries = 0; tries < 12; tries += 1) await addUpCounts(dying).catch(() => undefined);
    await Promise.all(Array.from({ length: 10 }, () => addUpCounts(ports)));
    await addUpCounts(ports);
    expect(await Promise.all([0, 1, 2].map((tenant) => total(`tenant-${tenant}`)))).toEqual([10, 10, 10]);
    expect(await inWindow("tenant-0", 24 * HOUR_MS, undefined)).toBe(10);
    expect(await addUpCounts(ports)).toBe(0);
  });

  it("never shrink, whatever is read in between", async () => {
    const seen: number[] = [];
    for (let step = 0; step < 12; step += 1) {
      await count("acme", 1);
      seen.push(await total("acme"));
      now += 2 * MINUTE_MS;
      await addUpCounts(ports);
      seen.push(await total("acme"));
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(12);
  });
});

describe("a window", () => {
  it("holds what was counted in it and nothing older", async () => {
    await count("acme", 1);
    now += 10 * MINUTE_MS;
    await count("acme", 2);
    now += 4 * MINUTE_MS;
    expect([await inWindow("acme", 5 * MINUTE_MS), await inWindow("acme", HOUR_MS)]).toEqual([2, 3]);
    now += HOUR_MS;
    await addUpCounts(ports);
    expect([await inWindow("acme", HOUR_MS), await inWindow("acme", 24 * HOUR_MS)]).toEqual([0, 3]);
    now += 24 * HOUR_MS;
    expect([await inWindow("acme", 24 * HOUR_MS), await inWindow("acme", 48 * HOUR_MS)]).toEqual([0, 3]);
  });

  it("that passes midnight counts each hour once", async () => {
    for (let hour = 0; hour < 14; hour += 1) {
      await count("acme", 1);
      now += HOUR_MS;
      await addUpCounts(ports);
    }
    expect(await inWindow("acme", 48 * HOUR_MS)).toBe(14);
    expect(await inWindow("acme", 10 * HOUR_MS)).toBeGreaterThanOrEqual(10);
    expect(await inWindow("acme", 10 * HOUR_MS)).toBeLessThanOrEqual(11);
  });
});

describe("what alerts are evaluated on", () => {
  it("folds tenants by all there ever were, so labels do not change with who is busy", async () => {
    for (const tenant of ["acme", "busy", "zeta"]) await count(tenant, 1);
    now += BLOCK_MS + GRACE_MS;
    while ((await addUpCounts(ports)) > 0);
    now += 3 * HOUR_MS;
    await count("zeta", 5);
    const nobody = { sqs: {} as never, queueUrl: String, deadLetterQueueUrl: String };
    const tenantsWith = async (rules: { named_tenants: string[]; tenants_max: number }) => {
      const { minutes } = await readForAlerts({ ...rules, circuit_breaker: {} as never }, undefined, {
        ...ports,
        ...nobody,
      });
      return minutes.map(({ tenant }) => tenant);
    };
    expect(await tenantsWith({ named_tenants: [], tenants_max: 2 })).toEqual(["other"]);
    expect(await tenantsWith({ named_tenants: ["zeta"], tenants_max: 2 })).toEqual(["zeta"]);
    expect(await tenantsWith({ named_tenants: [], tenants_max: 3 })).toEqual(["zeta"]);
  });
});
