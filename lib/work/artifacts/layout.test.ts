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
