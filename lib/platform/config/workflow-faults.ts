import type { z } from "zod";
import type { WorkflowStep, WorkflowsConfig } from "#schemas/config/workflows.ts";
import { TaskSpec } from "#schemas/records/task.ts";

const TASK_FIELDS = new Set([...Object.keys(TaskSpec.shape), "round", "refusal"]);

/** What workflows must agree with. */
export interface WorkflowSurroundings {
  /** The services that have a queue; undefined when that is checked elsewhere. */
  services?: readonly string[];
  /** The fields of an agent's message; undefined for one that is not known, which then goes unchecked. */
  fieldsOf(agent: string, end: "Input" | "Output"): Record<string, z.ZodType> | undefined;
}

export interface WorkflowFault {
  workflow: string;
  position: number;
  step: string;
  message: string;
}

/**
 * Checks workflows beyond their schema: repeated step names, repairs that name no step, agents without a queue,
 * unknown or missing input fields, and inputs taken from places that do not exist at that step.
 */
export function workflowFaults(
  workflows: WorkflowsConfig["workflows"],
  surroundings: WorkflowSurroundings,
): WorkflowFault[] {
  return Object.entries(workflows).flatMap(([workflow, { steps }]) => {
    const faultsOf = (check: (step: WorkflowStep, position: number) => string[]) =>
      steps.flatMap((step, position) =>
        check(step, position).map((message) => ({ workflow, position, step: step.step, message })),
      );
    return [
      // First: where a repair names no step, places of the round before are not there either.
      ...faultsOf((_, position) => orderFaults(steps, position)),
      ...faultsOf((step, position) => [
        ...agentFaults(step, surroundings),
        ...placeFaults(steps, position, surroundings),
      ]),
    ];
  });
}

/** `codegen`, `Input` → `CodegenInput`. */
export function messageName(agent: string, end: "Input" | "Output"): string {
  return agent.replace(/(?:^|[-_])([a-z0-9])/g, (_, first: string) => first.toUpperCase()) + end;
}

function orderFaults(steps: readonly WorkflowStep[], position: number): string[] {
  const { step, repair, beside } = steps[position] as WorkflowStep;
  const faults: string[] = [];
  if (steps.findIndex((other) => other.step === step) !== position) {
    faults.push(`another step has this name, "${step}": rename one, they would share a record.`);
  }
  if (repair && !steps.slice(0, position + 1).some((other) => other.step === repair.back_to)) {
    faults.push(`repair.back_to names "${repair.back_to}", which is no step up to this one.`);
  }
  if (beside && steps.findIndex((other) => other.step === beside.until) <= position) {
    faults.push(`beside.until names "${beside.until}", which is no step after this one.`);
  }
  if (beside && runsBefore(steps, position, position)) {
    faults.push("a step that a repair repeats cannot run beside others.");
  }
  return faults;
}

/** Services with a queue that run no workflow steps. */
const NO_AGENTS = ["orchestrator", "webhooks", "alerts"];

function agentFaults({ agent, input }: WorkflowStep, { services, fieldsOf }: WorkflowSurroundings): string[] {
  if (NO_AGENTS.includes(agent)) return [`agent "${agent}" runs no workflow steps.`];
  if (services && !services.includes(agent)) {
    return [
      `agent "${agent}" has no queue; these have: ${services.filter((one) => !NO_AGENTS.includes(one)).join(", ")}.`,
    ];
  }
  const fields = fieldsOf(agent, "Input");
  if (!fields) return [];
  const schema = messageName(agent, "Input");
  return [
    ...Object.keys(input)
      .filter((field) => !Object.hasOwn(fields, field))
      .map((field) => `input ${field} is no field of ${schema}: it has ${Object.keys(fields).join(", ")}.`),
    ...Object.entries(fields)
      .filter(([field, type]) => !Object.hasOwn(input, field) && !type.safeParse(undefined).success)
      .map(([field]) => `${schema} requires ${field}: say where it comes from.`),
  ];
}

function placeFaults(
  steps: readonly WorkflowStep[],
  position: number,
  surroundings: WorkflowSurroundings,
): string[] {
  const { input, repair } = steps[position] as WorkflowStep;
  const inputs = Object.entries(input).flatMap(([field, alternatives]) => {
    const places = alternatives.split("|").map((place) => place.trim());
    return [
      ...places.map((place) => placeFault(steps, position, place, surroundings)),
      besideFault(steps, position, places.at(-1) ?? ""),
    ]
      .filter((fault) => fault !== undefined)
      .map((fault) => `input ${field}: ${fault}`);
  });
  // A round is compared when this step has ended, so its own output counts too.
  const compared = (repair?.same ?? []).flatMap(
    (place) => placeFault(steps, position + 1, place, surroundings) ?? [],
  );
  return [...inputs, ...compared.map((fault) => `repair.same: ${fault}`)];
}

/** A step that may run beside this one has put nothing out by then: there must be another place to take from. */
function besideFault(
  steps: readonly WorkflowStep[],
  position: number,
  last_place: string,
): string | undefined {
  const [source, field] = last_place.split(".");
  const origin = steps.find(({ step }) => step === source);
  if (field === undefined || !origin?.beside) return undefined;
  const joined = steps.findIndex(({ step }) => step === origin.beside?.until);
  return position < joined
    ? `"${last_place}" comes from a step that may run beside this one: name another place behind it.`
    : undefined;
}

function placeFault(
  steps: readonly WorkflowStep[],
  position: number,
  place: string,
  { fieldsOf }: WorkflowSurroundings,
): string | undefined {
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
  const fields = fieldsOf(origin.agent, "Output");
  return !fields || Object.hasOwn(fields, field)
    ? undefined
    : `"${place}" is no field of ${messageName(origin.agent, "Output")}: it has ${Object.keys(fields).join(", ")}.`;
}

/** True when step `from` runs before step `position`: earlier in the list, or in the previous round of a repair loop that contains both. */
function runsBefore(steps: readonly WorkflowStep[], from: number, position: number): boolean {
  if (from < position) return true;
  return steps.some(({ repair }, end) => {
    const start = steps.findIndex(({ step }) => step === repair?.back_to);
    return start >= 0 && start <= position && from <= end;
  });
}
