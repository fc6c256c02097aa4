import type { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { FailedAttempts } from "#lib/http/auth/failed-attempts.ts";

const limits = { failures_max: 100, failures_window_seconds: 60, failures_batch: 10 };

/** A table that adds, for any number of processes. */
function sharedTable() {
  const totals = new Map<string, number>();
  const world = { now: 1_000_000_000_000, writes: 0, broken: false };
  const send = async (command: UpdateCommand) => {
    if (world.broken) throw new Error("no table");
    world.writes += 1;
    const { Key, ExpressionAttributeValues } = command.input;
    const place = JSON.stringify(Key);
    totals.set(place, (totals.get(place) ?? 0) + ExpressionAttributeValues?.[":failures"]);
    return { Attributes: { failures: totals.get(place) } };
  };
  const runtime = { now: () => world.now } as never;
  const process = () => new FailedAttempts({ table: { send } as never, table_name: "table", runtime });
  return { world, process };
}

async function fail(counter: FailedAttempts, times: number, address = "203.0.113.9") {
  let last = await counter.count(address, limits);
  for (let more = 1; more < times; more += 1) last = await counter.count(address, limits);
  return last;
}

describe("failed attempts", () => {
  it("are allowed up to the limit, with a write every ten, and no more writes beyond it", async () => {
    const { world, process } = sharedTable();
    const counter = process();
    expect(await fail(counter, 100)).toMatchObject({ failures: 100, exceeded: false });
    expect(world.writes).toBe(10);
    expect(await fail(counter, 1)).toMatchObject({ exceeded: true, newly_exceeded: true });
    expect(await fail(counter, 5000)).toMatchObject({ exceeded: true, newly_exceeded: false });
    expect(world.writes).toBe(11);
  });

  it("of one address count together wherever they were made", async () => {
    const { process } = sharedTable();
    const [one, other] = [process(), process()];
    await fail(one, 60);
    expect(await fail(other, 9)).toMatchObject({ failures: 9, exceeded: false });
    expect(await fail(other, 1)).toMatchObject({ failures: 70, exceeded: false });
    expect(await fail(other, 40)).toMatchObject({ failures: 110, exceeded: true });
  });

  it("of another address, or of the next window, are counted anew", async () => {
    const { world, process } = sharedTable();
    const counter = process();
    const { retry_after_seconds } = await fail(counter, 200);
    expect(await fail(counter, 1, "203.0.113.10")).toMatchObject({ failures: 1, exceeded: false });
    world.now += retry_after_seconds * 1000;
    expect(await fail(counter, 1)).toMatchObject({ failures: 1, exceeded: false });
  });

  it("of one IPv6 subscriber count together; an IPv4 address is the same in either notation", async () => {
    const { process } = sharedTable();
    const counter = process();
    await fail(counter, 3, "2001:db8::1");
    expect(await fail(counter, 1, "2001:db8:0:0:ffff:1:2:3")).toMatchObject({ failures: 4 });
    expect(await fail(counter, 1, "2001:db8:0:1::1")).toMatchObject({ failures: 1 });
    await fail(counter, 2, "192.0.2.1");
    expect(await fail(counter, 1, "::ffff:192.0.2.1")).toMatchObject({ failures: 3 });
    expect(await fail(counter, 1, "not an address")).toMatchObject({ failures: 1 });
  });

  it("are limited by each process alone while the table does not answer", async () => {
    const { world, process } = sharedTable();
    world.broken = true;
    expect(await fail(process(), 101)).toMatchObject({ failures: 101, exceeded: true });
  });
});
