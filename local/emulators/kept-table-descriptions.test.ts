import { describe, expect, it } from "vitest";
import { keepTableDescriptions, type TableDescriptions } from "./kept-table-descriptions.ts";

/** A store whose requests are answered when the test says so, in any order. */
function slowStore() {
  const tables = new Map<string, object>();
  const pending: (() => void)[] = [];
  let reads = 0;
  const store: TableDescriptions = {
    get(name, answer) {
      reads += 1;
      const table = tables.get(name);
      pending.push(() => answer(null, table && { ...table }));
    },
    put(name, table, done) {
      pending.push(() => {
        tables.set(name, { ...table });
        done(null);
      });
    },
    del(name, done) {
      pending.push(() => {
        tables.delete(name);
        done(null);
      });
    },
  };
  keepTableDescriptions(store);
  const settle = async () => {
    while (pending.length > 0) pending.shift()?.();
    await new Promise(setImmediate);
  };
  return {
    store,
    settle,
    pending,
    reads: () => reads,
    read: () => new Promise((resolve) => store.get("t", (_error, table) => resolve(table))),
    write: (table: object) => new Promise((resolve) => store.put("t", table, resolve)),
    remove: () => new Promise((resolve) => store.del("t", resolve)),
  };
}

describe("table descriptions kept in memory", () => {
  it("are read from the store once, and changed by no reader", async () => {
    const slow = slowStore();
    void slow.write({ status: "ACTIVE" });
    await slow.settle();
    const first = slow.read();
    await slow.settle();
    ((await first) as { status: string }).status = "changed by its reader";
    expect(await slow.read()).toEqual({ status: "ACTIVE" });
    expect(slow.reads()).toBe(1);
  });

  it("are read again after a write, and are gone after a deletion", async () => {
    const slow = slowStore();
    void slow.write({ status: "CREATING" });
    const creating = slow.read();
    await slow.settle();
    expect(await creating).toBeUndefined(); // it was asked for before the write had ended
    void slow.write({ status: "ACTIVE" });
    await slow.settle();
    const active = slow.read();
    await slow.settle();
    expect(await active).toEqual({ status: "ACTIVE" });
    void slow.remove();
    await slow.settle();
    const gone = slow.read();
    await slow.settle();
    expect(await gone).toBeUndefined();
  });

  it("are not kept when a write went on while they were read", async () => {
    const slow = slowStore();
    void slow.write({ status: "old" });
    await slow.settle();
    const old = slow.read();
    const written = slow.write({ status: "new" });
    slow.pending.reverse(); // the write ends first, and the read answers what it had found before
    await slow.settle();
    await written;
    expect(await old).toEqual({ status: "old" });
    const now = slow.read();
    await slow.settle();
    expect(await now).toEqual({ status: "new" });
  });
});
