import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { RateDecision } from "#lib/resilience/rate-limit/bucket.ts";
import type { BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";
import { type RateLimiter, rateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import { type Key, makeTable } from "../dynamodb/table.ts";
import type { Item } from "../dynamodb/values.ts";
import { seededRandom } from "../engine/random.ts";
import { EPOCH_MS, makeScheduler } from "../engine/scheduler.ts";

/** One environment that shares the buckets with the others. */
export interface Environment {
  limiter: RateLimiter;
  /** Its process dies: what it has leased is gone, what it has asked is never answered. */
  crash(): void;
}

/** Several environments' limiters on one table, in virtual time, all chance from the seed. */
export function limiterWorld(seed: number) {
  const random = seededRandom(seed);
  const scheduler = makeScheduler(random);
  const table = makeTable({ now: scheduler.now, lag_ms: () => 0 });
  const counts = { reads: 0, writes: 0, refused_writes: 0 };
  const faults = { silent: false, failing: false, slow_ms_max: 8 };

  const sleep = (milliseconds: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      scheduler.after(milliseconds, "wakes", () => resolve());
    });

  const apply = (command: unknown): unknown => {
    if (faults.failing) throw new Error("ProvisionedThroughputExceededException");
    if (command instanceof GetCommand) {
      counts.reads += 1;
      return { Item: table.get(command.input.Key as Key) };
    }
    if (!(command instanceof UpdateCommand)) throw new TypeError("a limiter gets and updates only");
    counts.writes += 1;
    try {
      return { Attributes: table.update(command.input.Key as Key, command.input as never).before as Item };
    } catch (error) {
      counts.refused_writes += 1;
      throw error;
    }
  };
  /** Each call arrives after a time and its answer after another; a silent table answers nothing. */
  const clientOf = (alive: () => boolean) => {
    const send = (command: unknown) =>
      new Promise((resolve, reject) => {
        const way_ms = () => random.int(1, faults.slow_ms_max);
        scheduler.after(way_ms(), "arrives", () => {
          if (faults.silent) return;
          let settle: () => void;
          try {
            const answer = apply(command);
            settle = () => resolve(answer);
          } catch (error) {
            settle = () => reject(error);
          }
          scheduler.after(way_ms(), "answers", () => alive() && settle());
        });
      });
    return { send } as unknown as DynamoDBDocumentClient;
  };

  return {
    counts,
    faults,
    now: scheduler.now,
    after: (delay_ms: number, action: () => void) => scheduler.after(delay_ms, "acts", action),
    /** `clock_ms`: how far its clock is ahead of the true one. */
    environment(clock_ms = 0): Environment {
      let alive = true;
      const runtime = { now: () => scheduler.now() + clock_ms, sleep, random: () => random.next() };
      const limiter = rateLimiter({ table: clientOf(() => alive), table_name: "table", runtime });
      return {
        limiter,
        crash() {
          alive = false;
        },
      };
    },
    /** Runs until that much virtual time has passed. */
    async run(seconds: number): Promise<void> {
      const end = scheduler.now() + seconds * 1000;
      let over = false;
      scheduler.after(seconds * 1000, "ends", () => {
        over = true;
      });
      await scheduler.run(() => over && scheduler.now() >= end);
    },
    /** A tenant's requests, evenly in time but for some chance, each to any of the environments. */
    traffic(
      {
        tenant,
        per_second,
        seconds,
        rule,
      }: { tenant: string; per_second: number; seconds: number; rule: BucketRule },
      environments: () => Environment[],
    ): Record<RateDecision["kind"], number> & { admitted_at_ms: number[] } {
      const tally = { admitted: 0, refused: 0, unknown: 0, admitted_at_ms: [] as number[] };
      for (let number = 0; number < per_second * seconds; number += 1) {
        const at_ms = ((number + random.next()) * 1000) / per_second;
        scheduler.after(at_ms, "request", () => {
          const choices = environments();
          const chosen = choices[random.int(0, choices.length - 1)];
          void chosen?.limiter.take({ tenant, route: "GET /api/tasks" }, rule).then(({ kind }) => {
            tally[kind] += 1;
            if (kind === "admitted") tally.admitted_at_ms.push(scheduler.now() - EPOCH_MS);
          });
        });
      }
      return tally;
    },
  };
}
