import { RetryableFault } from "#lib/platform/errors/fault.ts";
import type { Random } from "#test/simulation/engine/random.ts";
import { EPOCH_MS, type Scheduler } from "#test/simulation/engine/scheduler.ts";
import { isPoisonous, type Plan } from "./plan.ts";

/** One call as the dependency saw it. Times are ms from the start. */
export interface Call {
  task: string;
  at: number;
  ended_at: number;
  ok: boolean;
  /** The task's first call. */
  first: boolean;
  /** Made to find out whether the dependency is well again. */
  probe: boolean;
}

/** A service that is called over the network and has its troubles by plan. */
export interface Dependency {
  /** Throws RetryableFault `MODEL_UNAVAILABLE` (it answered with an error) or `CALL_DEADLINE`. */
  call(task: string, probe?: boolean): Promise<void>;
  calls: Call[];
  /** Calls made for a task so far. */
  made(task: string): number;
  /** Most probes at once. */
  probes_at_once_max(): number;
}

const dependency = "model";
const SIGMA = 0.25;

export function makeDependency(plan: Plan, scheduler: Scheduler, random: Random): Dependency {
  const { trouble, call_ms, error_ms, call_timeout_ms } = plan;
  const calls: Call[] = [];
  const made = new Map<string, number>();
  const line: (() => void)[] = [];
  let serving = 0;
  let probing = 0;
  let probing_max = 0;

  const now = () => scheduler.now() - EPOCH_MS;
  const troubled = () => now() >= plan.outage_from_ms && now() < plan.outage_until_ms;
  const slots = () => trouble.slots?.[troubled() ? "troubled" : "well"] ?? Number.POSITIVE_INFINITY;
  const next = () => {
    while (serving < slots()) {
      const start = line.shift();
      if (!start) return;
      serving += 1;
      start();
    }
  };
  if (trouble.slots) scheduler.after(plan.outage_until_ms, "dependency is well again", next);

  const serve = (poisonous: boolean, answer: (ok: boolean) => void) => {
    const fails = (troubled() && random.chance(trouble.failing)) || poisonous;
    const slower = troubled() ? trouble.slower : 1;
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    const duration_ms = (fails ? error_ms : call_ms * slower) * Math.exp(SIGMA * normal);
    line.push(() =>
      scheduler.after(duration_ms, "dependency answers", () => {
        serving -= 1;
        answer(!fails);
        next();
      }),
    );
    next();
  };

  return {
    calls,
    made: (task) => made.get(task) ?? 0,
    probes_at_once_max: () => probing_max,
    call(task, probe = false) {
      const call: Call = { task, at: now(), ended_at: now(), ok: false, first: !made.has(task), probe };
      made.set(task, (made.get(task) ?? 0) + 1);
      calls.push(call);
      if (probe) probing += 1;
      probing_max = Math.max(probing_max, probing);
      let open = true;
      return new Promise((resolve, reject) => {
        const end = (fault?: RetryableFault) => {
          if (!open) return;
          open = false;
          if (probe) probing -= 1;
          call.ended_at = now();
          call.ok = fault === undefined;
          if (fault) reject(fault);
          else resolve();
        };
        serve(isPoisonous(task, trouble), (ok) =>
          end(
            ok
              ? undefined
              : new RetryableFault("MODEL_UNAVAILABLE", "503 Service Unavailable", { dependency }),
          ),
        );
        scheduler.after(call_timeout_ms, "caller gives up", () =>
          end(new RetryableFault("CALL_DEADLINE", `no answer within ${call_timeout_ms} ms`, { dependency })),
        );
      });
    },
  };
}
