import { GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { type DependencyGuard, dependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import type { GuardedCall } from "#lib/resilience/circuit/guarded-call.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";
import { makeTable } from "../simulation/dynamodb/table.ts";
import { copyValue } from "../simulation/dynamodb/values.ts";
import { type FakeLogLine, fakeLog } from "./agent-context.ts";

/** The record, with its counts beside it. */
type CircuitItem = CircuitRecord & { next_probe_at: number };
type Policy = CircuitBreakerConfig["defaults"];

export const POLICY: Policy = {
  scope: "fleet",
  window_seconds: 10,
  calls_min: 10,
  failure_rate_open: 0.5,
  slow_call_ms: 2000,
  slow_rate_open: 0.8,
  consecutive_failures_open: 50,
  open_seconds_base: 5,
  open_seconds_max: 60,
  probe_lease_seconds: 10,
  probes_to_close: 1,
  damping_multiplier: 1.5,
  admission_share_min: 0.02,
  ramp_seconds: 20,
  park_seconds_max: 120,
  when_unknown: "fail_open",
};

interface Sleeper {
  at: number;
  wake(): void;
}

/** Many environments with one clock, one table and one dependency, all in memory and in virtual time. */
export function circuitFleet(size: number, changes: Partial<Policy> = {}) {
  const fleet = {
    now: 1_800_000_000_000,
    policy: { ...POLICY, ...changes } as Policy,
    policy_hash: "policy-1",
    budget: { ratio: 0.2, floor_per_minute: 10 },
    /** What the table is asked, by kind; `down` makes it refuse. */
    writes: 0,
    reads: 0,
    down: false,
    lines: [] as FakeLogLine[],
    counters: makeCounters(),
    guards: [] as DependencyGuard[],
    sleepers: new Set<Sleeper>(),
    seed: 1,
  };
  const table = makeTable({ now: () => fleet.now, lag_ms: () => 0 });
  const send = async (command: unknown): Promise<unknown> => {
    if (fleet.down) throw new Error("the table is down");
    if (command instanceof GetCommand) {
      fleet.reads += 1;
      return { Item: table.get(command.input.Key as never) };
    }
    if (command instanceof QueryCommand) return table.query(command.input as never);
    if (!(command instanceof UpdateCommand)) throw new TypeError("not known here");
    fleet.writes += 1;
    return { Attributes: copyValue(table.update(command.input.Key as never, command.input as never).after) };
  };
  const random = () => {
    fleet.seed = (Math.imul(fleet.seed, 1_664_525) + 1_013_904_223) >>> 0;
    return fleet.seed / 2 ** 32;
  };
  let uuids = 0;
  const runtimeOf = (skew_ms: number): Runtime => ({
    now: () => fleet.now + skew_ms,
    random,
    uuid: () => `uuid-${++uuids}`,
    hex: (bytes) => "0".repeat(2 * bytes),
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: fleet.now + milliseconds, wake: resolve };
        fleet.sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          fleet.sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
  });
  const ports = (skew_ms: number) => ({
    runtime: runtimeOf(skew_ms),
    table: { send } as never,
    table_name: "table",
    log: fakeLog(fleet.lines, {}),
    counters: fleet.counters,
    circuitPolicy: () => ({
      value: { $schema: "", defaults: fleet.policy, circuits: {} },
      hash: fleet.policy_hash,
    }),
    retryBudget: () => fleet.budget,
  });
  for (let index = 0; index < size; index += 1) fleet.guards.push(dependencyGuard(ports(0)));

  return Object.assign(fleet, {
    ports,
    table,
    random,
    guardWithSkew: (skew_ms: number) => dependencyGuard(ports(skew_ms)),
    item: (key = KEY) => table.get({ pk: "CIRCUITS", sk: key }) as CircuitItem | undefined,
    /** Lets time pass, and wakes who slept until then. */
    async advance(milliseconds: number): Promise<void> {
      fleet.now += milliseconds;
      for (const sleeper of [...fleet.sleepers]) {
        if (sleeper.at > fleet.now) continue;
        fleet.sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settled();
    },
    counted: (metric: string) =>
      fleet.counters
        .entries()
        .filter((entry) => entry.metric === metric)
        .reduce((sum, { amount }) => sum + amount, 0),
  });
}

export type Fleet = ReturnType<typeof circuitFleet>;
export const KEY = "codegen.worker.model";

/** Long enough for every promise that does not wait for time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

export const request = (changes: Partial<GuardedCall> = {}): GuardedCall => ({
  service: "codegen",
  role: "worker",
  dependency: "model",
  tenant: "acme",
  attempt: 1,
  ...changes,
});

export const works = async () => "answer";
export const fails = async (): Promise<string> => {
  throw new RetryableFault("MODEL_UNAVAILABLE", "503");
};

/** The code of the error, or `ok`. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "ok",
    (error: { code?: string }) => error.code ?? String(error),
  );
}
