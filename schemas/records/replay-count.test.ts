import { describe, expect, it } from "vitest";
import { StepRecord } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";

const { outcome } = StepRecord.shape;
const { reopenings } = TaskRecord.shape;
const ended = { verdict: "passed", artifacts: [] };
const at = { at: "2026-01-02T03:04:05.000Z", step: "codegen", round: 1 };

describe("the replay count of a stored item", () => {
  it("is read from an item that names it generation, as older versions did", () => {
    expect(outcome.parse({ ...ended, generation: 2 })).toEqual({ ...ended, replay_count: 2 });
    expect(reopenings.parse([{ ...at, generation: 1 }])).toEqual([{ ...at, replay_count: 1 }]);
  });

  it("is read as it is written now, and may be missing from an outcome", () => {
    expect(outcome.parse({ ...ended, replay_count: 2 })).toEqual({ ...ended, replay_count: 2 });
    expect(outcome.parse(ended)).toEqual(ended);
    expect(outcome.parse(undefined)).toBeUndefined();
    expect(reopenings.parse([{ ...at, replay_count: 1 }])).toEqual([{ ...at, replay_count: 1 }]);
  });

  it.each([0, "2", null])("of %j is refused under either name", (count) => {
    expect(outcome.safeParse({ ...ended, generation: count }).success).toBe(false);
    expect(reopenings.safeParse([{ ...at, replay_count: count }]).success).toBe(false);
  });
});
