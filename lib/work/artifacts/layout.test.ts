import { describe, expect, it } from "vitest";
import { layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { StepRecord } from "#schemas/records/step.ts";

const entry = (path: string, key: string) => ({
  path,
  blob: { key, sha256: "a".repeat(64), bytes: 1 },
  content_type: "text/plain",
});
const step = (name: string, round: number, artifacts: ReturnType<typeof entry>[]) =>
  ({ step: name, round, outcome: { verdict: "passed", artifacts } }) as unknown as StepRecord;

const ledger = (steps: StepRecord[]) =>
  ({ task: { definition: { steps: [{ step: "codegen" }, { step: "index" }] } }, steps }) as unknown as Ledger;

describe("the standard layout", () => {
  it("gives a path to the latest round and keeps the earlier one beside it", () => {
    const first = step("codegen", 0, [entry("codegen/diff.patch", "old")]);
    const second = step("codegen", 1, [entry("codegen/diff.patch", "new")]);
    const placed = layoutArtifacts(ledger([first, second])).map(({ path, blob }) => [path, blob.key]);
    expect(placed).toEqual([
      ["codegen/diff.patch", "new"],
      ["codegen/earlier/codegen-0/diff.patch", "old"],
    ]);
  });

  it("gives it to the best of the rounds when all failed, and keeps the others beside it", () => {
    const tested = (round: number, verdict: string, tests_passed: number, tests_failed: number) =>
      ({
        step: "test",
        round,
        outcome: { verdict, output: { tests_passed, tests_failed }, artifacts: [] },
      }) as never;
    const made = [0, 1, 2].map((round) =>
      step("codegen", round, [entry("codegen/diff.patch", `of ${round}`)]),
    );
    const definition = { steps: [{ step: "codegen" }, { step: "test", repair: { back_to: "codegen" } }] };
    const inPlace = (...runs: StepRecord[]) => {
      const all = { task: { definition }, steps: [...made, ...runs] } as unknown as Ledger;
      const artifacts = layoutArtifacts(all);
      expect(artifacts).toHaveLength(3);
      return artifacts.find(({ path }) => path === "codegen/diff.patch")?.blob.key;
    };
    expect(inPlace(tested(0, "failed", 4, 3), tested(1, "failed", 6, 1), tested(2, "failed", 5, 2))).toBe(
      "of 1",
    );
    expect(inPlace(tested(0, "failed", 4, 1), tested(1, "failed", 4, 1), tested(2, "failed", 3, 1))).toBe(
      "of 0",
    );
    expect(inPlace(tested(0, "failed", 0, 0), tested(1, "failed", 9, 5), tested(2, "failed", 0, 0))).toBe(
      "of 1",
    );
    expect(inPlace(tested(0, "failed", 9, 1), tested(1, "failed", 6, 4), tested(2, "passed", 10, 0))).toBe(
      "of 2",
    );
    expect(inPlace(tested(0, "failed", 9, 1))).toBe("of 0");
  });

  it("knows the later round and the later step whatever their clocks said", () => {
    const first = step("codegen", 0, [entry("codegen/diff.patch", "old")]);
    const second = step("codegen", 1, [entry("codegen/diff.patch", "new")]);
    const last = step("index", 0, [entry("codegen/diff.patch", "last")]);
    const placed = layoutArtifacts(ledger([last, second, first])).map(({ path, blob }) => [path, blob.key]);
    expect(placed).toEqual([
      ["codegen/diff.patch", "last"],
      ["codegen/earlier/codegen-0/diff.patch", "old"],
      ["codegen/earlier/codegen-1/diff.patch", "new"],
    ]);
  });

  it("shows nothing of a step without an outcome", () => {
    expect(layoutArtifacts(ledger([{ step: "codegen", round: 0 } as StepRecord]))).toEqual([]);
  });
});
