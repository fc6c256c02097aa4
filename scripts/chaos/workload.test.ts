import { describe, expect, it } from "vitest";
import { Submission } from "#schemas/messages/submission.ts";
import { seededRandom } from "./seeded-random.ts";
import { planTasks } from "./workload.ts";

const plan = (seed: number) => planTasks(200, ["a", "b", "c"], seededRandom(seed));

describe("the tasks of a chaos run", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  it("are valid, of every kind and tenant, each with a key of its own", () => {
    const tasks = plan(7);
    for (const { submission } of tasks) Submission.parse(submission);
    expect(new Set(tasks.map(({ kind }) => kind)).size).toBe(8);
    expect(new Set(tasks.map(({ tenant }) => tenant))).toEqual(new Set(["a", "b", "c"]));
    expect(new Set(tasks.map(({ idempotency_key }) => idempotency_key)).size).toBe(200);
  });

  it("hold failures that are the submitter's", () => {
    const codes = new Set(plan(7).map(({ expected }) => expected.code));
    expect(codes).toEqual(new Set([undefined, "COMMAND_FAILED", "TESTS_FAILED", "DIFF_DOES_NOT_APPLY"]));
  });
});
