import { type Random, seededRandom } from "#test/simulation/engine/random.ts";
import { EPOCH_MS, makeScheduler, type Scheduler } from "#test/simulation/engine/scheduler.ts";
import { type Dependency, makeDependency } from "./dependency.ts";
import { type Plan, taskId } from "./plan.ts";

/** What became of a task. Times are ms from the start. */
export interface Fate {
  id: string;
  tenant: string;
  arrived_at: number;
  ended_at?: number;
  /** `lost`: it is in no queue and in no ledger any more. */
  outcome: "open" | "done" | "dead-lettered" | "failed" | "lost";
}

/** Where one variant meets one plan. Arrivals and the dependency's draws are the same for every variant. */
export interface Lab {
  plan: Plan;
  scheduler: Scheduler;
  /** For everything but arrivals and the dependency. */
  random: Random;
  dependency: Dependency;
  fates: Map<string, Fate>;
  /** ms from the start. */
  now(): number;
  end(id: string, outcome: Fate["outcome"]): void;
  /** Tasks without an outcome. */
  open(): number;
}

/** A way to get tasks done in spite of the dependency. */
export interface Variant {
  name: string;
  description: string;
  start(lab: Lab): Running;
}

export interface Running {
  submit(fate: Fate): void;
  /** Called when nothing more is to be waited for: marks what got lost and ends what was started. */
  stop(): void;
  /** Invariants of the simulation that were broken. */
  violations?(): string[];
  /** DynamoDB writes of the policy's own state while the dependency was well, per environment and window. */
  healthy_writes?(): number;
}

function makeLab(plan: Plan): Lab {
  const random = seededRandom(plan.seed);
  const scheduler = makeScheduler(random);
  const fates = new Map<string, Fate>();
  const now = () => scheduler.now() - EPOCH_MS;
  let ended = 0;
  return {
    plan,
    scheduler,
    random,
    dependency: makeDependency(plan, scheduler, seededRandom(plan.seed + 1)),
    fates,
    now,
    end(id, outcome) {
      const fate = fates.get(id);
      if (fate?.outcome !== "open") return;
      fate.outcome = outcome;
      fate.ended_at = now();
      ended += 1;
    },
    open: () => fates.size - ended,
  };
}

/** Runs a variant through a plan until every task has its fate, or the plan's end. */
export async function runVariant(
  variant: Variant,
  plan: Plan,
  progress?: (minute: number) => void,
): Promise<{ lab: Lab; running: Running }> {
  const lab = makeLab(plan);
  const { scheduler, fates } = lab;
  const arrivals = seededRandom(plan.seed + 2);
  const running = variant.start(lab);
  const arrive = () => {
    if (lab.now() >= plan.arrivals_until_ms) return;
    const fate: Fate = {
      id: taskId(fates.size),
      tenant: drawTenant(plan, arrivals),
      arrived_at: lab.now(),
      outcome: "open",
    };
    fates.set(fate.id, fate);
    running.submit(fate);
    next();
  };
  const next = () =>
    scheduler.after((-Math.log(1 - arrivals.next()) * 1000) / plan.tasks_per_second, "arrival", arrive);
  next();
  let minute = -1;
  const done = () => {
    if (Math.floor(lab.now() / 60_000) > minute) {
      minute = Math.floor(lab.now() / 60_000);
      progress?.(minute);
    }
    if (lab.now() < plan.arrivals_until_ms) return false;
    return lab.now() >= plan.end_ms || lab.open() === 0;
  };
  await scheduler.run(done);
  running.stop();
  return { lab, running };
}

function drawTenant({ tenants }: Plan, random: Random): string {
  let draw = random.next();
  for (const { name, share } of tenants) {
    draw -= share;
    if (draw < 0) return name;
  }
  return tenants[0]?.name ?? "tenant";
}
