import type { Workflow } from "#schemas/config/workflows.ts";
import type { TaskSpec } from "#schemas/records/task.ts";

type Kind = NonNullable<TaskSpec["change"]>["kind"];

/**
 * The workflow as a task with such a change keeps it: without the steps that it would pass over and the repairs that it
 * would not make. A task's record is written at each step, so every kilobyte of it costs write units. A repair that
 * leads back to a step that is left out begins at the next one.
 */
export function definitionFor(workflow: Workflow, kind: Kind | undefined): Workflow {
  const holds = (kinds: readonly Kind[] | undefined) =>
    kinds === undefined || (kind !== undefined && kinds.includes(kind));
  const { steps } = workflow;
  const kept = steps.filter(({ changes }) => holds(changes));
  if (kept.length === 0) return workflow;
  const beginning = (name: string) => {
    const from = steps.findIndex(({ step }) => step === name);
    return steps.slice(from).find(({ changes }) => holds(changes))?.step ?? name;
  };
  return {
    ...workflow,
    steps: kept.map(({ repair, ...step }) =>
      repair && holds(repair.changes)
        ? { ...step, repair: { ...repair, back_to: beginning(repair.back_to) } }
        : step,
    ),
  };
}
