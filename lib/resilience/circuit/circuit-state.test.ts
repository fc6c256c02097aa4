import { describe, expect, it } from "vitest";
import {
  forced,
  forceInForce,
  newCircuit,
  opened,
  probeElected,
  probeReleased,
  probeSucceeded,
  reset,
} from "#lib/resilience/circuit/circuit-state.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";
import { POLICY } from "#test/fakes/circuit-fleet.ts";

const NOW = 1_800_000_000_000;
const policy = { ...POLICY, probes_to_close: 2, open_seconds_base: 5, open_seconds_max: 12 };
const stamp = (at = NOW) => ({ now: at, writer: `writer-${at}`, policy_hash: "policy-1" });
const reason = { code: "FAILURE_RATE", why: "6 of 10 calls failed" };
const usual = { per_second: 20, in_flight: 4 };
const operator = { by: "key1", why: "maintenance" };

const closed = { ...newCircuit({ key: "a.b.c" }, NOW), streak: 3 };
const open = opened(closed, reason, usual, policy, stamp());
const probing = probeElected(open, policy, stamp(NOW + 5000));
const half_open = probeReleased(probing, stamp(NOW + 6000));
const half_way = probeSucceeded(probing, policy, stamp(NOW + 6000));
const closed_again = probeSucceeded(
  probeElected(half_way, policy, stamp(NOW + 7000)),
  policy,
  stamp(NOW + 8000),
);

/** A state, as the table of docs/reference/circuit.md names it. */
const nameOf = ({ state, probe_owner }: CircuitRecord) =>
  state === "half_open" ? `half open, ${probe_owner === undefined ? "without" : "with"} a probe` : state;

describe("the state machine of a circuit", () => {
  it.each<[string, CircuitRecord, string, CircuitRecord, string, string | undefined]>([
    ["too many failures", closed, "closed", open, "open", "opened"],
    ["a probe is due", open, "open", probing, "half open, with a probe", "half_opened"],
    [
      "the probe gives no evidence",
      probing,
      "half open, with a probe",
      half_open,
      "half open, without a probe",
      undefined,
    ],
    [
      "a call asks, no probe",
      half_open,
      "half open, without a probe",
      probeElected(half_open, policy, stamp()),
      "half open, with a probe",
      undefined,
    ],
    [
      "a probe succeeds, more are needed",
      probing,
      "half open, with a probe",
      half_way,
      "half open, without a probe",
      undefined,
    ],
    ["the last probe succeeds", probing, "half open, with a probe", closed_again, "closed", "closed"],
    [
      "the probe fails",
      probing,
      "half open, with a probe",
      opened(probing, reason, {}, policy, stamp()),
      "open",
      "opened",
    ],
    ["an operator resets", open, "open", reset(open, operator, stamp()), "closed", "reset"],
    [
      "an operator resets while a probe runs",
      probing,
      "half open, with a probe",
      reset(probing, operator, stamp()),
      "closed",
      "reset",
    ],
  ])("%s", (_event, from, from_name, to, to_name, event) => {
    expect([nameOf(from), nameOf(to)]).toEqual([from_name, to_name]);
    expect(to.generation).toBeGreaterThan(from.generation);
    expect(to.streak).toBe(0);
    const last = to.trail.at(-1);
    if (event) expect(last).toMatchObject({ event, generation: to.generation, policy_hash: "policy-1" });
    else expect(last?.generation).toBeLessThan(to.generation);
  });

  it("raises the generation by one and names the write", () => {
    expect([open.generation, probing.generation, half_open.generation]).toEqual([1, 2, 3]);
    expect([open.writer, probing.writer]).toEqual([`writer-${NOW}`, `writer-${NOW + 5000}`]);
  });

  it("doubles the open time in one outage, up to its maximum, and begins anew in the next", () => {
    const openMs = ({ next_probe_at = 0 }: CircuitRecord, at: number) => next_probe_at - at;
    const second = opened(probing, reason, {}, policy, stamp());
    const third = opened(probeElected(second, policy, stamp()), reason, {}, policy, stamp());
    expect([open, second, third].map((one) => openMs(one, NOW))).toEqual([5000, 10_000, 12_000]);
    const hours_later = NOW + 36_000_000;
    const next_outage = opened(closed_again, reason, usual, policy, stamp(hours_later));
    expect([next_outage.opens, openMs(next_outage, hours_later)]).toEqual([1, 5000]);
    const soon_after = opened(closed_again, reason, { per_second: 1 }, policy, stamp(NOW + 9000));
    expect(soon_after).toMatchObject({ opens: 2, outage_began_at: NOW, steady_per_second: 20 });
  });

  it("keeps the usual load of before the outage, and recovers over twice the outage and the ramp", () => {
    expect(open).toMatchObject({ steady_per_second: 20, steady_in_flight: 4, outage_began_at: NOW });
    const closed_at = NOW + 8000;
    const recovering_until = closed_at + 2 * 8000 + 1000 * policy.ramp_seconds;
    expect(closed_again).toMatchObject({ closed_at, counted_from: closed_at, recovering_until });
    const quiet = opened(closed, reason, { per_second: 0.1 }, policy, stamp());
    const one_probe = { ...policy, probes_to_close: 1 };
    const healed = probeSucceeded(probeElected(quiet, one_probe, stamp()), one_probe, stamp());
    expect(healed.recovering_until).toBeUndefined(); // with so few calls there is no herd
  });

  it("is overruled by an operator's force until that ends, and goes on below it", () => {
    const at = new Date(NOW).toISOString();
    const until = new Date(NOW + 60_000).toISOString();
    const force = { state: "open" as const, ...operator, at, until };
    const held = forced(closed, force, stamp());
    expect([held.state, held.trail.at(-1)?.event]).toEqual(["closed", "forced_open"]);
    expect(forceInForce(held, NOW + 59_999)).toEqual(force);
    expect(forceInForce(held, NOW + 60_000)).toBeUndefined();
    expect(forceInForce(forced(closed, { ...force, until: null }, stamp()), NOW + 1e12)).toBeDefined();
    expect(reset(held, operator, stamp()).forced).toBeUndefined();
  });

  it("keeps the last ten transitions", () => {
    let record: CircuitRecord = closed;
    for (let turn = 0; turn < 15; turn += 1) record = reset(record, operator, stamp());
    expect(record.trail.map(({ generation }) => generation)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });
});
