import type { WorkflowStep } from "#schemas/config/workflows.ts";
import { TaskSpec } from "#schemas/records/task.ts";
import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";
import { messageFields, messageName, readWorkflows, WORKFLOWS_FILE } from "./workflows.ts";

const TASK_FIELDS = new Set([...Object.keys(TaskSpec.shape), "round"]);

/** Each step's input names fields its agent knows, fills those it requires, and takes them from places that exist. */
export const workflowInputsExist: Rule = {
  name: "workflow-inputs-exist",
  async check(tree) {
    const workflows = Object.entries(readWorkflows(tree)?.workflows ?? {});
    const findings: string[] = [];
    for (const [name, { steps }] of workflows) {
      for (const [position, step] of steps.entries()) {
        const faults = [
          ...repairFaults(steps, position),
          ...(await fieldFaults(tree, step)),
          ...(await placeFaults(tree, steps, position)),
        ];
        findings.push(...faults.map((fault) => `${WORKFLOWS_FILE}: ${name}, step ${step.step}: ${fault}`));
      }
    }
    return findings;
  },
};

function repairFaults(steps: readonly WorkflowStep[], position: number): string[] {
  const { step, repair } = steps[position] as WorkflowStep;
  const faults: string[] = [];
  if (steps.findIndex((other) => other.step === step) !== position) {
    faults.push("another step has this name: rename one, they would share a record.");
  }
  if (repair && !steps.slice(0, position + 1).some((other) => other.step === repair.back_to)) {
    faults.push(`repair.back_to names ${repair.back_to}, which is no step up to this one.`);
  }
  return faults;
}

async function fieldFaults(tree: Tree, { agent, input }: WorkflowStep): Promise<string[]> {
  const fields = await messageFields(tree, agent, "Input");
  if (!fields) return [];
  const schema = messageName(agent, "Input");
  return [
    ...Object.keys(input)
      .filter((field) => !(field in fields))
      .map((field) => `input ${field} is no field of ${schema}: it has ${Object.keys(fields).join(", ")}.`),
    ...Object.entries(fields)
      .filter(([field, type]) => !(field in input) && !type.safeParse(undefined).success)
      .map(([field]) => `${schema} requires ${field}: say where it comes from.`),
  ];
}

async function placeFaults(tree: Tree, steps: readonly WorkflowStep[], position: number): Promise<string[]> {
  const faults: string[] = [];
  for (const [field, places] of Object.entries((steps[position] as WorkflowStep).input)) {
    for (const place of places.split("|").map((text) => text.trim())) {
      const fault = await placeFault(tree, steps, position, place);
      if (fault) faults.push(`input ${field}: ${fault}`);
    }
  }
  return faults;
}

async function placeFault(
  tree: Tree,
  steps: readonly WorkflowStep[],
  position: number,
  place: string,
): Promise<string | undefined> {
  const [source = "", field] = place.split(".");
  if (field === undefined) {
    return TASK_FIELDS.has(source)
      ? undefined
      : `"${place}" is no field of a task: ${[...TASK_FIELDS].join(", ")}.`;
  }
  const from = steps.findIndex(({ step }) => step === source);
  const origin = steps[from];
  if (!origin) return `"${place}" names no step of this workflow.`;
  if (!runsBefore(steps, from, position)) return `"${place}" comes from a step that has not run by then.`;
  const fields = await messageFields(tree, origin.agent, "Output");
  return !fields || field in fields
    ? undefined
    : `"${place}" is no field of ${messageName(origin.agent, "Output")}: it has ${Object.keys(fields).join(", ")}.`;
}

/** Earlier in the list, or in the round before: a repair loop reaches from behind `from` back to `position`. */
function runsBefore(steps: readonly WorkflowStep[], from: number, position: number): boolean {
  if (from < position) return true;
  return steps.some(({ repair }, end) => {
    const start = steps.findIndex(({ step }) => step === repair?.back_to);
    return start >= 0 && start <= position && from <= end;
  });
}
