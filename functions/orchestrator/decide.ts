import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { isRepeated } from "#lib/work/tasks/walk-order.ts";
import type { Workflow, WorkflowStep } from "#schemas/config/workflows.ts";
import type { Verdict } from "#schemas/primitives.ts";
import type { StepOutcome, StepRecord } from "#schemas/records/step.ts";
import type { TaskError, TaskSpec } from "#schemas/records/task.ts";

export interface NextStep {
  step: string;
  service: string;
  round: number;
  input: Record<string, unknown>;
  /** Its record in the ledger; undefined before the first claim. */
  record: StepRecord | undefined;
  /** Whether other steps go on without it. */
  is_beside: boolean;
}

/** Steps to be run or waited for: the one that the workflow has come to, if any, then those that run beside it. */
export interface Run {
  kind: "run";
  steps: [NextStep, ...NextStep[]];
}

export interface Finished {
  kind: "finished";
  verdict: Verdict;
  error?: TaskError;
}

interface Walk {
  position: number;
  round: number;
  context: Record<string, unknown>;
  failure: TaskError | undefined;
  failure_verdict: Verdict;
  /** What the failed rounds had in the places of `repair.same`, as JSON. */
  failed_rounds: string[];
  /** Steps that were passed and not waited for yet. */
  beside: { place: WorkflowStep; next: NextStep }[];
}

/** Repairs are bounded by the schema (10 rounds of at most 20 steps), so a walk ends. */
const MOVES_MAX = 500;

/**
 * Decides the next steps of a task from its workflow and ledger alone. It has no side effects, so it can be called
 * at any time and any number of times.
 */
export function decide({ task, steps }: Ledger): Run | Finished {
  const workflow = task.definition;
  const walk: Walk = {
    position: 0,
    round: 0,
    context: { ...task.spec },
    failure: undefined,
    failure_verdict: "passed",
    failed_rounds: [],
    beside: [],
  };
  for (let moves = 0; moves < MOVES_MAX; moves += 1) {
    const current = workflow.steps[walk.position];
    if (walk.failure && current && !current.always) {
      walk.position += 1;
      continue;
    }
    const awaited = walk.beside.filter(({ place }) => !current || place.beside?.until === current.step);
    if (awaited.length > 0) {
      const open = awaited.filter(({ next }) => !next.record?.outcome);
      if (open.length > 0) return run(undefined, walk);
      for (const one of awaited) join(walk, one);
      continue;
    }
    if (!current) {
      return {
        kind: "finished",
        verdict: walk.failure_verdict,
        ...(walk.failure && { error: walk.failure }),
      };
    }
    if (passesOver(current, task.spec)) {
      walk.position += 1;
      continue;
    }
    const is_beside = runsBeside(current, task.spec);
    const round = isRepeated(workflow, walk.position) ? walk.round : 0;
    const record = steps.find((step) => step.step === current.step && step.round === round);
    const input = resolveInput(current.input, { ...walk.context, round });
    const next = { step: current.step, service: current.agent, round, input, record, is_beside };
    if (is_beside) {
      walk.beside.push({ place: current, next });
      walk.position += 1;
      continue;
    }
    if (!record?.outcome) return run(next, walk);
    move(walk, workflow, current, record.outcome, task.spec);
  }
  throw new RangeError(`the workflow ${task.spec.workflow} does not end`);
}

function runsBeside({ beside }: WorkflowStep, { source, change }: TaskSpec): boolean {
  if (!beside || !change) return false;
  return beside.sources.includes(source.kind) && beside.changes.includes(change.kind);
}

/** Whether the step is not for a task with such a change. */
function passesOver({ changes }: WorkflowStep, { change }: TaskSpec): boolean {
  return changes !== undefined && (change === undefined || !changes.includes(change.kind));
}

function run(main: NextStep | undefined, { beside }: Walk): Run {
  const open = beside.map(({ next }) => next).filter(({ record }) => !record?.outcome);
  return { kind: "run", steps: [...(main ? [main] : []), ...open] as Run["steps"] };
}

/** Takes over what a step that ran beside others has put out. Its failure counts now as that of any step does. */
function join(walk: Walk, one: Walk["beside"][number]): void {
  const { place, next } = one;
  const outcome = next.record?.outcome;
  walk.beside = walk.beside.filter((other) => other !== one);
  if (!outcome) return;
  walk.context[place.step] = outcome.output ?? {};
  if (outcome.verdict === "passed" || place.optional || walk.failure) return;
  walk.failure = taskError(place, outcome);
  walk.failure_verdict = outcome.verdict;
}

function move(
  walk: Walk,
  workflow: Workflow,
  current: WorkflowStep,
  outcome: StepOutcome,
  spec: TaskSpec,
): void {
  const repair = repairOf(current, spec, outcome);
  // A refused round leaves the places as the round before did, with what the refused step put out.
  if (outcome.output || !repair?.codes) walk.context[current.step] = outcome.output ?? {};
  walk.position += 1;
  if (outcome.verdict === "passed") return;
  const rounds_max = Math.min(repair?.rounds_max ?? 0, spec.repair_rounds ?? 9);
  const repeated = repair && repeats(walk, repair.same);
  if (repair && walk.round < rounds_max && repeated === undefined) {
    const error = taskError(current, outcome);
    walk.round += 1;
    walk.context.failed_round = { ...error, verdict: outcome.verdict };
    walk.context.refusal = repair.codes && { code: error.code, message: error.message };
    walk.position = workflow.steps.findIndex(({ step }) => step === repair.back_to);
    return;
  }
  if (current.optional) return;
  fail(walk, current, outcome, repair !== undefined);
  if (walk.failure && repeated !== undefined && rounds_max > 0) {
    walk.failure.message += ` (round ${walk.round} made the same change and failed the same way as round ${repeated})`;
  }
}

/** The repair that an outcome asks for; undefined where there is none. */
function repairOf(
  { repair }: WorkflowStep,
  { change }: TaskSpec,
  { verdict, code = "" }: StepOutcome,
): WorkflowStep["repair"] {
  if (!repair || verdict !== "failed") return undefined;
  if (repair.codes && !repair.codes.includes(code)) return undefined;
  if (repair.changes && !(change && repair.changes.includes(change.kind))) return undefined;
  return repair;
}

/** The earlier round that had the same in all these places. Where a place is empty, nothing is the same. */
function repeats(walk: Walk, places: readonly string[]): number | undefined {
  const values = places.map((place) => lookUp(place, walk.context));
  const facts = JSON.stringify(values);
  const known = values.length > 0 && values.every((value) => value !== undefined);
  const before = known ? walk.failed_rounds.indexOf(facts) : -1;
  walk.failed_rounds[walk.round] = facts;
  return before < 0 ? undefined : before;
}

/** When a repair fails, the failure it should have repaired stays the task's failure. */
function fail(walk: Walk, current: WorkflowStep, outcome: StepOutcome, is_repairable: boolean): void {
  const unrepaired = walk.context.failed_round as (TaskError & { verdict: Verdict }) | undefined;
  if (unrepaired && !is_repairable && outcome.verdict === "failed") {
    const { verdict, ...error } = unrepaired;
    const reason = outcome.code === "NO_REPAIR_LEFT" ? "" : ` (repair round ${walk.round}: ${outcome.code})`;
    walk.failure = { ...error, message: `${error.message}${reason}` };
    walk.failure_verdict = verdict;
    return;
  }
  walk.failure = taskError(current, outcome);
  walk.failure_verdict = outcome.verdict;
}

function taskError({ step }: WorkflowStep, { verdict, code, message }: StepOutcome): TaskError {
  return {
    code: code ?? ("STEP_FAILED" satisfies ErrorCode),
    message: message ?? `step ${step} ended with verdict ${verdict}`,
    step,
  };
}

/**
 * Resolves a step's input from places in the context: a task field (`source`), a field of an earlier step's output
 * (`codegen.diff`), or the first existing one of several (`index.source | source`). A field whose place is empty is
 * left out; the agent's schema decides whether the field is required.
 */
function resolveInput(
  places: Record<string, string>,
  context: Record<string, unknown>,
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const [field, alternatives] of Object.entries(places)) {
    const values = alternatives.split("|").map((place) => lookUp(place.trim(), context));
    const value = values.find((candidate) => candidate !== undefined);
    if (value !== undefined) input[field] = value;
  }
  return input;
}

function lookUp(place: string, context: unknown): unknown {
  return place.split(".").reduce<unknown>((at, name) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    return (at as Record<string, unknown>)[name];
  }, context);
}
