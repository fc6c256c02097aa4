import { describe, expect, it } from "vitest";
import { comesAfter } from "#lib/work/tasks/walk-order.ts";
import type { Workflow } from "#schemas/config/workflows.ts";

const workflow = {
  steps: [
    { step: "index" },
    { step: "codegen" },
    { step: "buildtest", repair: { back_to: "codegen", rounds_max: 3 } },
    { step: "index_result" },
  ],
} as Workflow;
const place = (step: string, round = 0) => ({ step, round });

describe("the order in which a task comes to its steps", () => {
  it.each([
    ["a later step", place("codegen"), place("index")],
    ["a repair round, even of an earlier step", place("codegen", 1), place("buildtest", 0)],
    ["the step after any number of rounds", place("index_result"), place("buildtest", 2)],
    ["a round after the step before the loop", place("codegen", 2), place("index")],
  ])("%s comes after, and never the other way round", (_name, later, earlier) => {
    expect(comesAfter(workflow, later, earlier)).toBe(true);
    expect(comesAfter(workflow, earlier, later)).toBe(false);
  });

  it("no step comes after itself", () => {
    expect(comesAfter(workflow, place("codegen", 1), place("codegen", 1))).toBe(false);
  });
});
