import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { dependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import { circuitFleet, fails, outcome, POLICY, request, works } from "../fakes/circuit-fleet.ts";
import { realTable } from "../fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());

/** A lease that outlasts the test on the slowest machine: its renewal is tested elsewhere. */
const policy = { ...POLICY, consecutive_failures_open: 6, open_seconds_base: 1, probe_lease_seconds: 600 };

/** Guards that share nothing but the table and a clock of their own, each sending what it asks through a counter. */
function environments(amount: number) {
  const seen = { writes: 0, reads: 0 };
  const clock = { now: Date.now() };
  const { table } = store;
  const send = (command: { constructor: { name: string } }) => {
    seen[command.constructor.name === "GetCommand" ? "reads" : "writes"] += 1;
    return table.send(command as never);
  };
  const ports = { ...circuitFleet(0).ports(0), runtime: { ...systemRuntime, now: () => clock.now } };
  const config = { $schema: "", defaults: policy, circuits: {} };
  const guards = Array.from({ length: amount }, () =>
    dependencyGuard({
      ...ports,
      table: { send } as never,
      table_name: store.table_name,
      circuitPolicy: () => ({ value: config, hash: "policy-1" }),
    }),
  );
  return { guards, seen, clock };
}

describe("circuits on DynamoDB", () => {
  it("cost a healthy fleet of eight one write each in a window", async () => {
    const { guards, seen } = environments(8);
    const labels = { dependency: "healthy" };
    for (let turn = 0; turn < 50; turn += 1) {
      for (const guard of guards) await guard.call(request(labels), works);
    }
    expect(seen.writes).toBeLessThanOrEqual(8);
    expect(seen.reads).toBeLessThanOrEqual(8);
  });

  it("open by everybody's failures, and elect one probe among forty calls", async () => {
    const { guards, clock } = environments(8);
    const labels = { dependency: "broken" };
    for (const guard of guards) await outcome(guard.call(request(labels), fails));
    expect(await outcome(guards[7]!.call(request(labels), works))).toBe("CIRCUIT_OPEN");
    clock.now += 1100; // a view in trouble is a second old at most
    let made = 0;
    let end: (() => void) | undefined;
    const probe = () =>
      new Promise<void>((resolve) => {
        made += 1;
        end = resolve;
      });
    let parked = 0;
    const calls = guards.flatMap((guard) =>
      Array.from({ length: 5 }, async () => {
        const code = await outcome(guard.call(request(labels), probe));
        if (code === "CIRCUIT_OPEN") parked += 1;
        return code;
      }),
    );
    await vi.waitUntil(() => parked === 39, { timeout: 60_000 });
    expect(made).toBe(1);
    end?.();
    expect((await Promise.all(calls)).filter((code) => code === "ok")).toHaveLength(1);
    clock.now += 1100;
    expect(await outcome(guards[0]!.call(request(labels), works))).toBe("ok");
  });
});
