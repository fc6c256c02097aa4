import { makeTable } from "../../simulation/dynamodb/table.ts";
import type { Invocation } from "../../simulation/engine/invocation.ts";
import { NO_MUTATION } from "../../simulation/engine/mutation.ts";
import { seededRandom } from "../../simulation/engine/random.ts";
import { EPOCH_MS, makeScheduler } from "../../simulation/engine/scheduler.ts";
import type { World } from "../../simulation/engine/world.ts";
import { makeBucket } from "../../simulation/s3/bucket.ts";
import { readDeployment } from "../../simulation/workload/deployment.ts";
import { QUIET } from "../../simulation/workload/quiet.ts";

const INDEX_LAG_MS = 500;

export interface QuietWorld {
  world: World;
  invocation: Invocation;
  /** The client, with virtual time going on while it waits for an answer. */
  played<Client extends object>(client: Client): Client;
  elapse(seconds: number): Promise<void>;
}

/** A simulated world in which nothing fails, and one invocation in it that lasts. */
export function quietWorld(): QuietWorld {
  const random = seededRandom(1);
  const scheduler = makeScheduler(random);
  const world: World = {
    seed: 1,
    random,
    scheduler,
    faults: QUIET,
    faulty: () => false,
    quota_since: 0,
    quota_until: 0,
    late_until: 0,
    stored_answers: new Set(),
    received: new Map(),
    deployment: readDeployment("local"),
    mutation: NO_MUTATION,
    table: makeTable({ now: scheduler.now, lag_ms: () => INDEX_LAG_MS }),
    bucket: makeBucket(),
    queues: new Map(),
    invocations: new Set(),
    counts: new Map(),
    count: () => undefined,
    violations: [],
    violate: () => undefined,
  };
  const invocation: Invocation = {
    id: random.uuid(),
    service: "contract",
    number: 1,
    started_at: EPOCH_MS,
    timeout_ms: Number.POSITIVE_INFINITY,
    clock_offset_ms: 0,
    frozen_until: 0,
    state: "running",
  };

  let waiting = 0;
  let playing = false;
  const play = async () => {
    while (waiting > 0) await scheduler.run(() => waiting === 0);
    playing = false;
  };
  const during = <Answer>(operation: Promise<Answer>): Promise<Answer> => {
    waiting += 1;
    if (!playing) {
      playing = true;
      void play();
    }
    return operation.finally(() => {
      waiting -= 1;
    });
  };
  return {
    world,
    invocation,
    played: (client) => {
      const { send } = client as unknown as { send(command: unknown): Promise<unknown> };
      return { send: (command: unknown) => during(Promise.resolve().then(() => send(command))) } as never;
    },
    elapse: (seconds) =>
      during(new Promise((resolve) => scheduler.after(seconds * 1000, "contract waits", resolve))),
  };
}
