import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import { childSpan } from "#lib/platform/trace/traceparent.ts";
import { type DependencyGuard, dependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import type { RetryBudget } from "#lib/resilience/circuit/guarded-call.ts";
import { type CircuitLabels, circuitKey, circuitPolicyFor } from "#lib/resilience/circuit/guarded-call.ts";
import { retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { Submission } from "#schemas/messages/submission.ts";
import type { Mutation } from "#test/simulation/engine/mutation.ts";
import { submitTask } from "../../functions/gateway/submit-task.ts";
import type { Fate, Lab, Variant } from "./lab.ts";
import { type System, startSystem } from "./ours-system.ts";
import { labWorld } from "./ours-world.ts";

const SERVICE = "codegen";
const LABELS = { service: SERVICE, role: "worker", dependency: "model" };
const SUBMISSION = Submission.parse({
  workflow: "ask",
  source: { kind: "git", url: "https://example.com/a.git" },
  deadline_seconds: 7200,
});

export interface OursOptions {
  name?: string;
  /** Takes a protection away: see test/simulation/outage/mutations.long.test.ts. */
  circuits?: (config: CircuitBreakerConfig) => CircuitBreakerConfig;
  retryBudget?: () => RetryBudget;
  mutation?: Mutation;
  guard?: (guard: DependencyGuard) => DependencyGuard;
}

/** The system itself: gateway, orchestrator, sweeper and an agent that calls the dependency through the guard. */
export function ours(options: OursOptions = {}): Variant {
  return {
    name: options.name ?? "this system",
    description: "as deployed: configs/ and serverless.yml, with as many environments as the others have",
    start(lab) {
      const world = labWorld(lab, options.mutation);
      const config = CircuitBreakerConfig.parse(
        JSON.parse(readFileSync("configs/circuit_breaker.json", "utf8")),
      );
      const value = options.circuits?.(config) ?? config;
      const policy = { value, hash: sourceHash(value) };
      const circuit = {
        pk: "CIRCUITS",
        sk: circuitKey({ ...LABELS, tenant: "" }, circuitPolicyFor(value, LABELS)),
      };
      const halfOpen = () => world.table.get(circuit)?.state === "half_open";
      const tasks = new Map<string, string>();
      const agent = callingAgent(lab, tasks, halfOpen);
      let healthy_writes = 0;
      const system = startSystem(
        world,
        {
          service: SERVICE,
          keep(process) {
            const guard = dependencyGuard({
              ...process,
              log: process.logOf(SERVICE),
              circuitPolicy: () => policy,
              retryBudget: options.retryBudget ?? ((labels) => budgetOf(process.retryPolicy().value, labels)),
            });
            return options.guard?.(guard) ?? guard;
          },
          handler: (guard, platform) => defineAgent(agent, () => ({ ...platform, guard })),
        },
        {
          onEnded: (task_id, outcome) => lab.end(tasks.get(task_id) ?? "", outcome),
          onKeptWrite() {
            if (lab.now() < lab.plan.outage_from_ms) healthy_writes += 1;
          },
        },
      );
      const { window_seconds } = circuitPolicyFor(value, LABELS);
      const windows = lab.plan.outage_from_ms / 1000 / window_seconds;
      return {
        submit: (fate) => submit(fate, system, tasks),
        stop: system.stop,
        violations: () => world.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
        healthy_writes: () => healthy_writes / lab.plan.environments / windows,
      };
    },
  };
}

function budgetOf(config: RetryPolicyConfig, labels: CircuitLabels): RetryBudget {
  const { retry_budget_ratio, retry_budget_floor_per_minute } = retryPolicyFor(config, labels);
  return { ratio: retry_budget_ratio, floor_per_minute: retry_budget_floor_per_minute };
}

function submit(fate: Fate, system: System, tasks: Map<string, string>): void {
  const { platform, end } = system.gateway();
  const trace = childSpan(undefined, platform.runtime);
  const log = platform.logOf("gateway");
  const asked = { submission: SUBMISSION, tenant: fate.tenant, idempotency_key: fate.id, trace, log };
  submitTask(asked, platform)
    .then(({ task }) => tasks.set(task.task_id, fate.id))
    .catch(() => undefined) // a task that was not accepted counts as lost
    .finally(end);
}

function callingAgent(
  { dependency }: Lab,
  tasks: ReadonlyMap<string, string>,
  halfOpen: () => boolean,
): Agent<z.ZodType, z.ZodType> {
  return {
    name: SERVICE,
    input: z.unknown(),
    output: z.unknown(),
    async run(_input, { envelope: { task_id }, call }) {
      await call(LABELS.dependency, () => dependency.call(tasks.get(task_id) ?? task_id, halfOpen()));
      return { verdict: "passed", output: {} };
    },
  };
}
