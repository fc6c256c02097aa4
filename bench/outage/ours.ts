import { z } from "zod";
import type { Agent } from "#lib/agent/agent.ts";
import { childSpan } from "#lib/trace/traceparent.ts";
import { Submission } from "#schemas/messages/submission.ts";
import { submitTask } from "../../functions/gateway/submit-task.ts";
import type { Fate, Lab, Variant } from "./lab.ts";
import { type System, startSystem } from "./ours-system.ts";
import { labWorld } from "./ours-world.ts";

const SUBMISSION = Submission.parse({
  workflow: "ask",
  source: { kind: "git", url: "https://example.com/a.git" },
  deadline_seconds: 7200,
});

/** The system itself: gateway, orchestrator, sweeper and an agent that calls the dependency through the guard. */
export function ours(): Variant {
  return {
    name: "this system",
    description: "as deployed: configs/ and serverless.yml, with as many environments as the others have",
    start(lab) {
      const world = labWorld(lab);
      const tasks = new Map<string, string>();
      const system = startSystem(world, callingAgent(lab), (task_id, outcome) =>
        lab.end(tasks.get(task_id) ?? "", outcome),
      );
      return {
        submit: (fate) => submit(fate, system, tasks),
        stop: system.stop,
        violations: () => world.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
        healthy_writes: () => 0,
      };
    },
  };
}

function submit(fate: Fate, system: System, tasks: Map<string, string>): void {
  const { platform, end } = system.gateway();
  const trace = childSpan(undefined, platform.runtime);
  const log = platform.logOf("gateway");
  const asked = { submission: SUBMISSION, tenant: fate.tenant, idempotency_key: fate.id, trace, log };
  submitTask(asked, platform)
    .then(({ task_id }) => tasks.set(task_id, fate.id))
    .catch(() => undefined) // a task that was not accepted counts as lost
    .finally(end);
}

function callingAgent({ dependency }: Lab): Agent<z.ZodType, z.ZodType> {
  return {
    name: "codegen",
    input: z.unknown(),
    output: z.unknown(),
    async run(_input, { envelope }) {
      await dependency.call(envelope.task_id);
      return { verdict: "passed", output: {} };
    },
  };
}
