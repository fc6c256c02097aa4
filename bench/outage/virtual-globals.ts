import { performance } from "node:perf_hooks";
import type { Random } from "#test/simulation/engine/random.ts";
import type { Scheduler } from "#test/simulation/engine/scheduler.ts";

interface VirtualTimer {
  unref(): VirtualTimer;
  ref(): VirtualTimer;
  cleared: boolean;
}

/**
 * Puts timers, `Date.now`, `performance.now` and `Math.random` of the whole process on a scheduler's
 * time and chance, for libraries that take them from there. Returns what puts the real ones back.
 */
export function virtualGlobals(scheduler: Scheduler, random: Random): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const { now: dateNow } = Date;
  const { random: mathRandom } = Math;
  const performanceNow = performance.now;

  const start = (action: () => void, delay_ms: number, repeats: boolean): VirtualTimer => {
    const timer: VirtualTimer = { cleared: false, unref: () => timer, ref: () => timer };
    const plan = () =>
      scheduler.after(Math.max(1, delay_ms), "timer", () => {
        if (timer.cleared) return;
        if (repeats) plan();
        action();
      });
    plan();
    return timer;
  };
  const clear = (timer: VirtualTimer | undefined) => {
    if (timer) timer.cleared = true;
  };
  const replaced = {
    setTimeout: (action: (...given: unknown[]) => void, delay_ms = 1, ...given: unknown[]) =>
      start(() => action(...given), delay_ms, false),
    setInterval: (action: (...given: unknown[]) => void, delay_ms = 1, ...given: unknown[]) =>
      start(() => action(...given), delay_ms, true),
    clearTimeout: clear,
    clearInterval: clear,
  };
  Object.assign(globalThis, replaced);
  Date.now = scheduler.now;
  Math.random = () => random.next();
  performance.now = scheduler.now;
  return () => {
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    Date.now = dateNow;
    Math.random = mathRandom;
    performance.now = performanceNow;
  };
}
