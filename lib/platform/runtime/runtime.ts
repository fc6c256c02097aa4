import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

/** Time, randomness and ids, injected so that a simulation can own them. */
export interface Runtime {
  /** Unix time in ms. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  uuid(): string;
  /** Lower-case hex of `bytes` random bytes. */
  hex(bytes: number): string;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemRuntime: Runtime = {
  now: Date.now,
  random: Math.random,
  uuid: randomUUID,
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, signal ? { signal } : {}),
};

/** RFC 3339 in UTC. */
export function instant(unix_ms: number): string {
  return new Date(unix_ms).toISOString();
}
