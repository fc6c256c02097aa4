import { EventHeap } from "./event-heap.ts";
import type { Random } from "./random.ts";

export interface Scheduler {
  /** Virtual Unix time in ms. */
  now(): number;
  /** Runs `action` after `delay_ms` of virtual time. `label` shows in the trace. */
  after(delay_ms: number, label: string, action: () => void): void;
  /** Mixes a fact into the trace hash, and into the readable trace when there is one. */
  note(label: string, fact?: number): void;
  /** Runs events in order of time until `done` or until none is left. */
  run(done: () => boolean): Promise<void>;
  /** Two simulations with the same hash did the same things at the same times. */
  traceHash(): string;
  events(): number;
}

export const EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Virtual time. Between two events every promise that can go on does (the microtask queue runs
 * empty), so the order of events is the only order there is, and the seed owns it.
 */
export function makeScheduler(random: Random, trace?: (line: string) => void): Scheduler {
  const heap = new EventHeap();
  let now_ms = EPOCH_MS;
  let count = 0;
  let hash = 0x811c9dc5;
  let hash_high = 0x1b873593;

  const note = (label: string, fact = 0) => {
    for (let index = 0; index < label.length; index += 1) {
      hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ fact, 0x01000193);
    hash_high = Math.imul(hash_high ^ hash ^ (now_ms & 0x7fffffff), 0x85ebca6b);
    hash_high ^= hash_high >>> 13;
    trace?.(`${((now_ms - EPOCH_MS) / 1000).toFixed(3).padStart(10)} ${label}`);
  };

  return {
    now: () => now_ms,
    note,
    events: () => count,
    traceHash: () => [hash, hash_high].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join(""),
    after(delay_ms, label, action) {
      heap.push({
        time: now_ms + Math.max(0, Math.round(delay_ms)),
        tie: random.next(),
        run: () => {
          note(label);
          action();
        },
      });
    },
    run: (done) =>
      new Promise((resolve, reject) => {
        const step = () => {
          try {
            const event = done() ? undefined : heap.pop();
            if (!event) return resolve();
            now_ms = Math.max(now_ms, event.time);
            count += 1;
            event.run();
          } catch (error) {
            return reject(error);
          }
          // A tick queued from a microtask runs when all microtasks have: see processTicksAndRejections.
          queueMicrotask(() => process.nextTick(step));
        };
        step();
      }),
  };
}
