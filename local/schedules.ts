import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "#lib/platform/log/log.ts";
import type { ServiceFunction } from "./event-source/event-source-mappings.ts";

export interface SchedulePorts {
  invoke(function_key: string, event: unknown): Promise<unknown>;
  log: Log;
  region: string;
  /** Invocations of functions that queues feed, so far. */
  activity: Activity;
}

/** Whether anything goes on in the stack. */
export interface Activity {
  happened(): void;
  /** Calls `listener` for all that happens until it is called off. */
  listen(listener: () => void): () => void;
}

export function makeActivity(): Activity {
  const listeners = new Set<() => void>();
  return {
    happened() {
      for (const listener of listeners) listener();
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** An idle stack is swept as rarely as a deployed one. */
const IDLE_SECONDS_MAX = 60;

/** The functions with an enabled `schedule` event. */
export function scheduledFunctions(functions: Record<string, ServiceFunction>): string[] {
  return Object.entries(functions)
    .filter(([, { events = [] }]) =>
      events.some(
        ({ schedule }) =>
          schedule !== undefined &&
          (schedule as { enabled?: boolean } | string | null) !== null &&
          (schedule as { enabled?: boolean }).enabled !== false,
      ),
    )
    .map(([function_key]) => function_key);
}

/**
 * Runs every scheduled function at once and then as many seconds after each run's end as `secondsOf` it says, whatever
 * its rate on AWS, so that recovery after a crash is quick. While nothing happens each pause is twice as long as the one
 * before, up to a minute. A run never overlaps with the one before.
 */
export function startSchedules(
  function_keys: string[],
  secondsOf: (function_key: string) => number,
  ports: SchedulePorts,
) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loops = function_keys.map(async (function_key) => {
    const pause = pauses(secondsOf(function_key) * 1000, ports.activity);
    while (!signal.aborted) {
      try {
        await ports.invoke(function_key, scheduledEvent(function_key, ports.region));
      } catch (error) {
        ports.log.error("SCHEDULED_FUNCTION_THREW", "A scheduled function threw.", {
          function: function_key,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
      await pause(signal);
    }
  });
  return {
    async stop(stop_ms: number): Promise<void> {
      stopping.abort();
      const given_up = new AbortController();
      const late = delay(stop_ms, undefined, { signal: given_up.signal }).catch(() => {});
      await Promise.race([Promise.all(loops), late]);
      given_up.abort();
    },
  };
}

/** Pauses that grow while nothing happens. What happens in one ends it `interval_ms` later, if not sooner. */
function pauses(interval_ms: number, activity: Activity): (signal: AbortSignal) => Promise<void> {
  let pause_ms = interval_ms;
  return async (signal) => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const wait = (wait_ms: number) => delay(wait_ms, undefined, { signal: either }).catch(() => {});
    let happened: Promise<void> | undefined;
    let stopListening = () => {};
    const news = new Promise<void>((resolve) => {
      stopListening = activity.listen(() => {
        happened ??= wait(interval_ms).then(resolve);
      });
    });
    await Promise.race([wait(pause_ms), news]);
    stopListening();
    over.abort();
    pause_ms = happened
      ? interval_ms
      : Math.max(interval_ms, Math.min(pause_ms * 2, IDLE_SECONDS_MAX * 1000));
  };
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
function scheduledEvent(function_key: string, region: string) {
  return {
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: "000000000000",
    time: new Date().toISOString(),
    region,
    resources: [`arn:aws:events:${region}:000000000000:rule/${function_key}`],
    detail: {},
  };
}
