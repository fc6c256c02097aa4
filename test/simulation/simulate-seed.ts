import { makeTable } from "./dynamodb/table.ts";
import { drawFaults, type FaultProfile } from "./engine/faults.ts";
import { type Mutation, NO_MUTATION } from "./engine/mutation.ts";
import { type Random, seededRandom } from "./engine/random.ts";
import { EPOCH_MS, makeScheduler } from "./engine/scheduler.ts";
import type { Violation, World } from "./engine/world.ts";
import { checkAtRest } from "./invariants/check-at-rest.ts";
import { checkCounts } from "./invariants/check-counts.ts";
import { makeBucket } from "./s3/bucket.ts";
import { type Client, makeClient } from "./workload/client.ts";
import { readDeployment } from "./workload/deployment.ts";
import { drive } from "./workload/drive.ts";
import { type Stack, startStack } from "./workload/stack.ts";
import { uploadSources } from "./workload/submissions.ts";
import { registerWebhooks } from "./workload/webhooks.ts";

export interface SeedOptions {
  mutation?: Mutation;
  faults?: Partial<FaultProfile>;
  trace?: (line: string) => void;
  /** What happens instead of the workload the seed draws. */
  workload?: Workload;
}

/** Makes things happen. May say that it has not done its part yet, for as long as it likes. */
// biome-ignore lint/suspicious/noConfusingVoidType: most workloads have nothing to say
type Workload = (world: World, stack: Stack, client: Client) => { busy(): boolean } | void;

export interface SeedResult {
  seed: number;
  violations: Violation[];
  trace_hash: string;
  events: number;
  virtual_ms: number;
  counts: Map<string, number>;
}

/**
 * A task ends this long after its deadline at the latest, once faults have stopped: an operation
 * still under way (150 s), the next sweep (60 s), its index lag (20 s), a second look (30 s and a sweep).
 */
const SETTLE_MS = 330_000;
/** The longest visibility timeout and a retry: by then every message is done with. */
const DRAIN_MS = 3 * 5_400_000;
const VIOLATIONS_MAX = 5;

/** Runs one seed from the first submission to rest. Never throws for what the code under test does. */
export async function simulateSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const world = makeWorld(seed, options);
  const { scheduler, faults } = world;
  const stack = startStack(world);
  const client = makeClient(world, stack);
  uploadSources(world);
  if (!options.workload) registerWebhooks(world);
  const work = options.workload ? options.workload(world, stack, client) : drive(world, stack, client);
  const busy = () => work?.busy() ?? false;
  const { open_tasks, open_deliveries } = stack.watch;
  if (world.mutation.sweeper !== "off") keepSweeping(world, stack, busy);

  let settle_by = EPOCH_MS + faults.duration_ms + SETTLE_MS;
  const settled = () => {
    for (const deadline of [...open_tasks.values(), ...open_deliveries.values()]) {
      settle_by = Math.max(settle_by, deadline + SETTLE_MS);
    }
    const idle = atRest(world, stack) && client.open() === 0 && !busy();
    return world.violations.length > 0 || idle || (scheduler.now() > settle_by && !busy());
  };
  await scheduler.run(settled);

  const drain_by = scheduler.now() + DRAIN_MS;
  const drained = () =>
    [...world.queues.values()].every(({ name, messages }) => messages.size === 0 || name.endsWith("-dlq"));
  const stop = () => world.violations.length > 0 || scheduler.now() > drain_by || drained();
  if (world.violations.length === 0) await scheduler.run(stop);
  if (world.violations.length === 0) checkAtRest(world, stack.watch);
  if (world.violations.length === 0) await checkCounts(world);
  return {
    seed,
    violations: world.violations,
    trace_hash: scheduler.traceHash(),
    events: scheduler.events(),
    virtual_ms: scheduler.now() - EPOCH_MS,
    counts: world.counts,
  };
}

function makeWorld(seed: number, options: SeedOptions): World {
  const random = seededRandom(seed);
  const faults = { ...drawFaults(random), ...options.faults };
  const scheduler = makeScheduler(random, options.trace);
  const counts = new Map<string, number>();
  const world: World = {
    seed,
    random,
    scheduler,
    faults,
    faulty: () => scheduler.now() < EPOCH_MS + faults.duration_ms,
    ...drawQuota(faults, random),
    late_until: 0,
    deployment: readDeployment(random.chance(0.5) ? "local" : "default"),
    mutation: options.mutation ?? NO_MUTATION,
    table: makeTable({ now: scheduler.now, lag_ms: () => random.int(0, faults.index_lag_ms) }),
    bucket: makeBucket(),
    queues: new Map(),
    invocations: new Set(),
    stored_answers: new Set(),
    received: new Map(),
    counts,
    count: (name, amount = 1) => void counts.set(name, (counts.get(name) ?? 0) + amount),
    violations: [],
    violate(invariant, detail) {
      scheduler.note(`VIOLATION ${invariant}: ${detail}`);
      if (world.violations.length < VIOLATIONS_MAX) world.violations.push({ invariant, detail });
    },
  };
  return world;
}

/** In a third of the seeds a quota is spent for seconds to hours. */
function drawQuota({ run_fails, duration_ms }: FaultProfile, random: Random) {
  if (run_fails === 0 || random.chance(0.5)) return { quota_since: 0, quota_until: 0 };
  const quota_since = EPOCH_MS + random.int(0, duration_ms);
  return { quota_since, quota_until: quota_since + random.pick([5, 60, 600, 1500, 7200]) * 1000 };
}

function atRest({ faulty, scheduler, late_until }: World, { watch }: Stack): boolean {
  const open = watch.open_tasks.size + watch.open_deliveries.size;
  return !faulty() && scheduler.now() > late_until && open === 0;
}

/** The sweeper's schedule; it ends when nothing is open, for then it has nothing to find. */
function keepSweeping(world: World, stack: Stack, busy: () => boolean): void {
  const { period_ms } = world.deployment.sweeper;
  const sweep = () => {
    if (atRest(world, stack) && !busy()) return;
    stack.sweep();
    world.scheduler.after(period_ms, "schedule", sweep);
  };
  world.scheduler.after(world.random.int(0, period_ms), "schedule", sweep);
}
