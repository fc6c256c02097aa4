import { type Mutation, NO_MUTATION } from "#test/simulation/engine/mutation.ts";
import type { World } from "#test/simulation/engine/world.ts";
import { makeBucket } from "#test/simulation/s3/bucket.ts";
import { type Deployment, readDeployment } from "#test/simulation/workload/deployment.ts";
import { QUIET } from "#test/simulation/workload/quiet.ts";
import type { Lab } from "./lab.ts";
import { partitionedTable } from "./partitioned-table.ts";

const VIOLATIONS_MAX = 5;

/** The simulated world of a lab: nothing goes wrong in it but the dependency. */
export function labWorld({ plan, scheduler, random }: Lab, mutation: Mutation = NO_MUTATION): World {
  const counts = new Map<string, number>();
  const world: World = {
    seed: plan.seed,
    random,
    scheduler,
    faults: QUIET,
    faulty: () => false,
    quota_since: 0,
    quota_until: 0,
    late_until: 0,
    deployment: outageDeployment(plan.environments),
    mutation,
    table: partitionedTable(scheduler.now),
    bucket: makeBucket(),
    queues: new Map(),
    invocations: new Set(),
    stored_answers: new Set(),
    received: new Map(),
    counts,
    count: (name, amount = 1) => void counts.set(name, (counts.get(name) ?? 0) + amount),
    violations: [],
    violate(invariant, detail) {
      if (world.violations.length < VIOLATIONS_MAX) world.violations.push({ invariant, detail });
    },
  };
  return world;
}

/** What serverless.yml and configs/ deploy, with one workflow of one step and as many environments as asked for. */
function outageDeployment(environments: number): Deployment {
  const deployment = readDeployment("default");
  return {
    ...deployment,
    functions: deployment.functions
      .filter(({ service }) => service === "orchestrator" || service === "codegen")
      .map((one) => (one.service === "codegen" ? { ...one, concurrency: environments } : one)),
    workflows: {
      ask: {
        description: "Ask the model.",
        requires: [],
        steps: [
          { step: "codegen", agent: "codegen", input: { source: "source" }, optional: false, always: false },
        ],
      },
    },
  };
}
