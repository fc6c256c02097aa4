import { describe, expect, it } from "vitest";
import { countBuffer, FLUSH_MS, OTHER_TENANTS, ROWS_MAX } from "#lib/platform/metrics/count-buffer.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { type FakeLogLine, fakeLog } from "#test/fakes/agent-context.ts";

const LABELS = { service: "codegen", role: "worker", shard: "0" };

interface Written {
  Key: { pk: string; sk: string };
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, number>;
}

/** A buffer whose clock and table are the test's. */
function world(send = async () => ({})) {
  let now = Date.UTC(2026, 0, 31, 12);
  const written: Written[] = [];
  const lines: FakeLogLine[] = [];
  const buffer = countBuffer({ random: () => 0.9 });
  const ports = {
    table: {
      send: ({ input }: { input: Written }) => {
        written.push(input);
        return send();
      },
    } as never,
    table_name: "table",
    runtime: { now: () => now },
    log: fakeLog(lines, {}),
  };
  const serve = async (tenants: string[]) => {
    const counters = makeCounters();
    for (const tenant of tenants) counters.count("messages_acknowledged", tenant);
    buffer.add(LABELS, counters, tenants.length);
    await buffer.flush(ports);
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { buffer, ports, written, lines, serve, pass };
}

const ten = (name: string) => Array.from({ length: 10 }, () => name);
const sum = (written: Written[]) =>
  written
    .flatMap(({ ExpressionAttributeValues: { ":expires_at": _, ...amounts } }) => Object.values(amounts))
    .reduce((total, amount) => total + amount, 0);

describe("the counts of an environment", () => {
  it("are written at most once in an interval, and none is lost between", async () => {
    const { written, serve, pass, buffer, ports } = world();
    for (let second = 0; second < 60; second += 1) {
      await serve(ten("acme"));
      pass(1000);
    }
    expect(written.length).toBe((60 * 1000) / FLUSH_MS);
    await buffer.close(ports);
    expect(sum(written)).toBe(600);
  });

  it("take no more than 0.15 writes a message, however many tenants a batch has", async () => {
    const { written, serve, pass, buffer, ports } = world();
    for (let batch = 0; batch < 100; batch += 1) {
      await serve(ten("t").map((name, index) => `${name}${index}`));
      pass(FLUSH_MS);
    }
    expect(written.length).toBeLessThanOrEqual(0.15 * 1000);
    await buffer.close(ports);
    expect(sum(written)).toBe(1000);
  });

  it("are in an item of their tenant, minute, service and slot, whose size does not grow with tenants", async () => {
    const { written, serve, buffer, ports } = world();
    await serve(Array.from({ length: 300 }, (_, index) => `tenant-${index}`));
    await buffer.close(ports);
    expect(written[0]?.Key).toEqual({
      pk: "METRICS#2026-01-31T12:00",
      sk: "tenant-0#2026-01-31T12:00#codegen#worker#0#3",
    });
    expect(written.every(({ ExpressionAttributeNames: names }) => Object.keys(names).length === 1)).toBe(
      true,
    );
    expect(written).toHaveLength(ROWS_MAX + 1);
    expect(written.at(-1)?.Key.sk).toMatch(new RegExp(`^${OTHER_TENANTS}#`));
    expect(sum(written)).toBe(300);
  });

  it("are shown to a reader while they wait, to their own tenant only", async () => {
    const { serve, buffer } = world();
    await serve(["acme"]);
    await serve(["acme", "globex"]);
    const pending = buffer
      .pending("acme")
      .map(({ service, amounts }) => [service, Object.fromEntries(amounts)]);
    expect(pending).toEqual([["codegen", { messages_acknowledged: 1 }]]);
  });

  it("are dropped, and that is logged, when the table refuses them", async () => {
    const { serve, lines, pass, written } = world(async () => Promise.reject(new Error("no table")));
    await serve(["acme"]);
    expect(lines.map(({ code }) => code)).toEqual(["METRICS_LOST"]);
    pass(FLUSH_MS);
    await serve(["acme"]);
    expect(written).toHaveLength(2);
  });

  it("are written with every flush once the environment is shut down", async () => {
    const { serve, buffer, ports, written } = world();
    await serve(["acme"]);
    await buffer.close(ports);
    await serve(["acme"]);
    await serve(["acme"]);
    expect(written).toHaveLength(3);
  });
});
