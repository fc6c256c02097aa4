import { z } from "zod";
import { StepRecord } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";

/** `task.json`: the task and its ledger as they stood at the end. */
export const TaskArtifact = z.strictObject({
  task: TaskRecord.omit({ version: true, updated_at: true, sealed_at: true, expires_at: true }),
  steps: z.array(StepRecord),
});
export type TaskArtifact = z.infer<typeof TaskArtifact>;

/** One line of `events.jsonl`, oldest first. */
export const TaskEvent = z.strictObject({
  at: z.iso.datetime(),
  event: z.enum(["task_accepted", "step_claimed", "step_ended", "cancel_requested", "task_ended"]),
  step: z.string().optional(),
  round: z.int().optional(),
  detail: z.string().optional(),
});
export type TaskEvent = z.infer<typeof TaskEvent>;
