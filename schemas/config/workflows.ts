import { z } from "zod";
import { StepName } from "#schemas/primitives.ts";

const ChangeKind = z.enum(["patch", "codemod", "prompt", "command"]);

const WorkflowStep = z.strictObject({
  step: StepName,
  agent: z.string().min(1).describe("service whose queue gets the message"),
  input: z
    .record(z.string(), z.string())
    .describe(
      "input field → place it comes from: a field of the task, `round`, `refusal` (why the round before was refused, if it was), or `<step>.<output field>`; later | wins if the first is absent",
    ),
  optional: z.boolean().default(false).describe("its failure does not fail the task"),
  changes: z
    .array(ChangeKind)
    .min(1)
    .optional()
    .describe("kinds of change it runs for; a task with another kind, or with none, passes it over"),
  always: z.boolean().default(false).describe("runs even when a step before it failed"),
  beside: z
    .strictObject({
      until: StepName.describe("the later step that waits for it"),
      sources: z
        .array(z.enum(["archive", "git"]))
        .min(1)
        .describe("kinds of source it holds for"),
      changes: z.array(ChangeKind).min(1).describe("kinds of change it holds for"),
    })
    .optional()
    .describe(
      "for a task with such a source and change the steps after it do not wait for it, up to `until`, and take nothing from it",
    ),
  repair: z
    .strictObject({
      back_to: StepName,
      rounds_max: z.int().min(0).max(9).describe("repair rounds at most"),
      same: z
        .array(z.string().regex(/^[^.]+\.[^.]+$/))
        .max(10)
        .describe(
          "places `<step>.<output field>`; a round that has in all of them what an earlier one had is the last: another would end the same way",
        )
        .default([]),
      codes: z
        .array(z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/))
        .min(1)
        .max(20)
        .optional()
        .describe(
          "only failures with one of these codes: refusals. The round counts as refused: the next one finds the places as they were before it, and the reason in `refusal`",
        ),
      changes: z
        .array(ChangeKind)
        .min(1)
        .optional()
        .describe("kinds of change that are repaired; absent: all"),
    })
    .optional()
    .describe("when this step's verdict is `failed`, start a new round at `back_to`"),
});
export type WorkflowStep = z.infer<typeof WorkflowStep>;

export const Workflow = z.strictObject({
  description: z.string().describe("what it does, in a sentence"),
  requires: z.array(z.enum(["change", "build", "test", "command"])).describe("fields a submission must have"),
  steps: z.array(WorkflowStep).min(1).max(20),
});
export type Workflow = z.infer<typeof Workflow>;

/** `configs/workflows.json`: what runs after what. */
export const WorkflowsConfig = z.strictObject({
  $schema: z.string(),
  workflows: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/), Workflow),
});
export type WorkflowsConfig = z.infer<typeof WorkflowsConfig>;
