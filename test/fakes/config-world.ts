import { type Deployment, definitions } from "#lib/platform/config/config-definitions.ts";
import type { ConfigSource } from "#lib/platform/config/config-source.ts";
import { configStore } from "#lib/platform/config/config-store.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";

/** Time that passes only when told, for what takes `now` and `sleep`. */
function fakeClock(now_ms = Date.parse("2026-01-01T00:00:00Z")) {
  let now = now_ms;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const runtime: Pick<Runtime, "now" | "sleep"> = {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
  };
  return {
    runtime,
    sleeping: () => sleepers.size,
    /** Lets that much time pass, waking who is due, in steps so that what they start comes to its end. */
    async pass(milliseconds: number) {
      const end = now + milliseconds;
      while (now < end) {
        now = Math.min(end, now + 100);
        for (const sleeper of [...sleepers]) {
          if (sleeper.until > now) continue;
          sleepers.delete(sleeper);
          sleeper.wake();
        }
        await settled();
      }
    },
  };
}

/** Everything that can happen without time passing has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export interface ConfigLine {
  level: "info" | "warn" | "error";
  code: string;
  fields: Record<string, unknown>;
}

const DEPLOYMENT: Deployment = {
  services: ["orchestrator", "codegen", "coder", "buildtest", "sandbox", "indexing"],
};

/** A store of the retry policy alone over a source in memory, under a fake clock. */
export function configWorld(overrides: Partial<ConfigSource> = {}) {
  const clock = fakeClock();
  const lines: ConfigLine[] = [];
  const at =
    (level: ConfigLine["level"]): Log["info"] =>
    (code, _sentence, fields = {}) => {
      lines.push({ level, code, fields });
    };
  const log: Log = { info: at("info"), warn: at("warn"), error: at("error"), with: () => log };
  const world = {
    clock,
    lines,
    codes: () => lines.map(({ code }) => code),
    reads: 0,
    /** What the source holds; an Error is thrown, "silence" never answers. */
    holds: policy() as string | Uint8Array | Error | "silence",
    bundled: policy() as string,
  };
  const source: ConfigSource = {
    place: "memory/",
    refresh_ms: 5000,
    wait_ms: 8000,
    timeout_ms: 2000,
    settle_ms: 0,
    read: async () => {
      world.reads += 1;
      const { holds } = world;
      if (holds === "silence") return new Promise(() => undefined);
      if (holds instanceof Error) throw holds;
      return typeof holds === "string" ? Buffer.from(holds) : holds;
    },
    ...overrides,
  };
  const store = configStore([definitions.retryPolicy], {
    source,
    bundled: (name) => ({ bytes: Buffer.from(world.bundled), place: `bundled/${name}` }),
    deployment: () => DEPLOYMENT,
    runtime: clock.runtime,
    log,
  });
  const view = () => store.view().policies[0]!;
  const attempts = () => store.read(definitions.retryPolicy).value.defaults.attempts_max;
  return Object.assign(world, { store, view, attempts });
}

/** A retry policy as text, these fields of its defaults replaced. */
export function policy(fields: Record<string, unknown> = {}): string {
  return JSON.stringify(retryPolicy(fields));
}
