import type { Workflow } from "#schemas/config/workflows.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** True for steps between a repair's `back_to` and the step that asks for repair. */
export function isRepeated(workflow: Workflow, position: number): boolean {
  return workflow.steps.some(
    ({ repair }, end) =>
      repair &&
      position <= end &&
      position >= workflow.steps.findIndex(({ step }) => step === repair.back_to),
  );
}

type Place = Pick<StepRecord, "step" | "round">;

/**
 * Whether a task comes to `later` after `earlier` on its way through the workflow. Rounds only
 * grow, so two repeated steps compare by round first; no repair leads back over any other step.
 */
export function comesAfter(workflow: Workflow, later: Place, earlier: Place): boolean {
  const position = (place: Place) => workflow.steps.findIndex(({ step }) => step === place.step);
  const [a, b] = [position(later), position(earlier)];
  const rounds = isRepeated(workflow, a) && isRepeated(workflow, b) ? later.round - earlier.round : 0;
  return rounds === 0 ? a > b : rounds > 0;
}
