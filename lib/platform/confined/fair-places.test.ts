import { describe, expect, it } from "vitest";
import { createFairPlaces } from "#lib/platform/confined/fair-places.ts";

const patient = new AbortController().signal;

/** Tenants ask for places; tells who was let in, in this order. */
function hall(places_max: number) {
  const places = createFairPlaces(places_max);
  const inside: string[] = [];
  const leaves = new Map<string, (() => void)[]>();
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    inside,
    async ask(tenant: string, signal = patient) {
      const asked = places.take(tenant, signal).then((leave) => {
        inside.push(tenant);
        leaves.set(tenant, [...(leaves.get(tenant) ?? []), leave]);
      });
      await Promise.race([asked, settled()]);
      return asked;
    },
    /** Asks so many times, and waits for none of them. */
    async crowd(tenant: string, times: number) {
      for (let time = 0; time < times; time += 1) void this.ask(tenant).catch(() => undefined);
      await settled();
    },
    async leave(tenant: string) {
      leaves.get(tenant)?.shift()?.();
      inside.splice(inside.indexOf(tenant), 1);
      await settled();
    },
  };
}

const count = (inside: string[]) =>
  Object.fromEntries(
    [...new Set(inside)].map((tenant) => [tenant, inside.filter((one) => one === tenant).length]),
  );

describe("places shared out among tenants", () => {
  it.each([
    [1, { a: 1 }],
    [2, { a: 1, b: 1 }],
    [4, { a: 2, b: 1, c: 1 }],
    [8, { a: 4, b: 2, c: 1, d: 1 }],
    [16, { a: 8, b: 4, c: 2, d: 1, e: 1 }],
  ])("of %i go to one tenant while more are free than it holds", async (places_max, shares) => {
    const room = hall(places_max);
    for (const tenant of ["a", "b", "c", "d", "e"]) await room.crowd(tenant, 20);
    expect(count(room.inside)).toEqual(shares);
  });

  it("go to the tenant that holds fewest, and among equals to the one that waits longest", async () => {
    const room = hall(4);
    await room.crowd("a", 6);
    await room.crowd("b", 1);
    await room.crowd("c", 3);
    await room.crowd("d", 1);
    expect(count(room.inside)).toEqual({ a: 2, b: 1, c: 1 });
    await room.leave("a");
    expect(count(room.inside)).toEqual({ a: 1, b: 1, c: 1, d: 1 });
    await room.leave("b"); // one place is free, for somebody who holds none
    expect(count(room.inside)).toEqual({ a: 1, c: 1, d: 1 });
    await room.leave("d");
    expect(count(room.inside)).toEqual({ a: 2, c: 1 });
  });

  it("never stand empty while somebody waits who holds none", async () => {
    const room = hall(4);
    await room.crowd("a", 50);
    for (let tenant = 0; tenant < 30; tenant += 1) {
      await room.crowd(`t${tenant}`, 1);
      expect(room.inside).toContain(`t${tenant}`);
      await room.leave(`t${tenant}`);
    }
    expect(count(room.inside)).toEqual({ a: 2 });
  });

  it("are all used and none lost, whoever comes, goes and gives up", async () => {
    const room = hall(4);
    const stop = new AbortController();
    await room.crowd("a", 2);
    const given_up = room.ask("a", stop.signal);
    void given_up.catch(() => undefined);
    stop.abort(new Error("no longer wanted"));
    await expect(given_up).rejects.toThrow("no longer wanted");
    await room.leave("a");
    await room.leave("a");
    await room.crowd("a", 2);
    expect(count(room.inside)).toEqual({ a: 2 });
    await expect(room.ask("b", stop.signal)).rejects.toThrow("no longer wanted");
  });

  it("refuse a tenant with 100 that wait, and nobody else", async () => {
    const room = hall(4);
    await room.crowd("a", 102);
    await expect(room.ask("a")).rejects.toMatchObject({
      disposition: "retry",
      code: "COMPUTATION_UNAVAILABLE",
    });
    await room.ask("b");
    expect(room.inside).toContain("b");
  });
});
