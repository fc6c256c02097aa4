import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { type Fleet, request } from "./circuit-fleet.ts";

/** Work that wants one call: when next, whose, and which try it is. */
interface Job {
  at: number;
  tenant: string;
  attempt: number;
}

interface Load {
  /** New jobs a second, by tenant. */
  rates: Record<string, number>;
  seconds: number;
  /** Whether the dependency answers a call, given how many it had in this tick and the second. */
  answers(second: number, in_tick: number): boolean;
  /** A failed try comes back after this, at most so often. */
  retry_ms?: number;
  attempts_max?: number;
  /** 0 takes environments in turn. */
  environment?: (job: Job) => number;
}

export interface Seconds {
  /** Calls that reached the dependency, by second. */
  arrived: number[];
  succeeded: number[];
  failed: number[];
  /** Calls that were retries. */
  retried: number[];
  /** By tenant: calls admitted and calls damped. */
  admitted: Map<string, number>;
  parked: Map<string, number>;
  codes: Map<string, number>;
}

const TICK_MS = 100;

/** Puts a load on a dependency through every guard of a fleet in turn, in ticks of 100 ms. */
export async function runLoad(fleet: Fleet, load: Load): Promise<Seconds> {
  const { seconds, retry_ms = 2000, attempts_max = 5 } = load;
  const zeros = () => Array.from({ length: seconds }, () => 0);
  const seen: Seconds = {
    arrived: zeros(),
    succeeded: zeros(),
    failed: zeros(),
    retried: zeros(),
    admitted: new Map(),
    parked: new Map(),
    codes: new Map(),
  };
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  let waiting: Job[] = [];
  let turn = 0;
  const owed = new Map(Object.keys(load.rates).map((tenant) => [tenant, 0]));
  const started = fleet.now;
  while (fleet.now - started < seconds * 1000) {
    const second = Math.floor((fleet.now - started) / 1000);
    for (const [tenant, rate] of Object.entries(load.rates)) {
      let due = (owed.get(tenant) ?? 0) + (rate * TICK_MS) / 1000;
      for (; due >= 1; due -= 1) waiting.push({ at: fleet.now, tenant, attempt: 1 });
      owed.set(tenant, due);
    }
    const ready = waiting.filter(({ at }) => at <= fleet.now);
    waiting = waiting.filter(({ at }) => at > fleet.now);
    let in_tick = 0;
    for (const job of ready) {
      const guard = fleet.guards[turn++ % fleet.guards.length]!;
      const work = async () => {
        in_tick += 1;
        seen.arrived[second]! += 1;
        if (job.attempt > 1) seen.retried[second]! += 1;
        add(seen.admitted, job.tenant);
        if (!load.answers(second, in_tick)) throw new RetryableFault("MODEL_UNAVAILABLE", "503");
      };
      try {
        await guard.call(request({ tenant: job.tenant, attempt: job.attempt }), work);
        seen.succeeded[second]! += 1;
      } catch (error) {
        const { code, disposition, retry_after_ms } = error as RetryableFault;
        add(seen.codes, code);
        if ((disposition as string) === "park") {
          if (code === "DEPENDENCY_DAMPED") add(seen.parked, job.tenant);
          waiting.push({ ...job, at: fleet.now + (retry_after_ms ?? 0) });
          continue;
        }
        seen.failed[second]! += 1;
        if (job.attempt >= attempts_max) continue;
        waiting.push({ ...job, attempt: job.attempt + 1, at: fleet.now + retry_ms * (0.5 + fleet.random()) });
      }
    }
    await fleet.advance(TICK_MS);
  }
  return seen;
}

export const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
