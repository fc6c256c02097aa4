import { describe, expect, it } from "vitest";
import { rowOf } from "./comparison.ts";
import { readRecorded } from "./recorded-runs.ts";

const recorded = await readRecorded();

describe("recorded reports", () => {
  it("are of at least 40 forms", () => expect(recorded.length).toBeGreaterThanOrEqual(40));

  it.each(recorded.map((run) => [`${run.runner} ${run.version}, ${run.project}, ${run.form}`, run] as const))(
    "are counted as the runner counts them: %s",
    (_, run) => {
      const { read, problems } = rowOf(run, "recorded");
      expect([read, problems]).toEqual([run.own, []]);
    },
  );

  it("are told apart from a run that counts otherwise", () => {
    const [run] = recorded;
    if (!run?.own) throw new Error("nothing is recorded");
    const other = { ...run, own: { ...run.own, failed: run.own.failed + 1 } };
    expect([rowOf(run, "recorded").same, rowOf(other, "recorded").same]).toEqual([true, false]);
    expect(rowOf({ ...run, own: null }, "recorded").same).toBe(false);
  });
});
