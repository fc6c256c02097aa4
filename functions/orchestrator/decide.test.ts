import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";
import { StepRecord } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";
import { decide, type NextStep } from "./decide.ts";

const { workflows } = WorkflowsConfig.parse(JSON.parse(readFileSync("configs/workflows.json", "utf8")));
const hash = "a".repeat(64);
const at = "2026-01-01T00:00:00.000Z";
const git = { kind: "git" as const, url: "https://example.test/a.git" };
const source = { kind: "archive" as const, blob: { key: "k", sha256: hash, bytes: 1 } };

function task(workflow: string, repair_rounds?: number, spec: object = {}): TaskRecord {
  return TaskRecord.parse({
    tenant: "acme",
    task_id: `task_${"0".repeat(26)}`,
    status: "accepted",
    spec: {
      workflow,
      source,
      change: { kind: "patch", diffs: [{ key: "d", sha256: hash, bytes: 1 }] },
      test: "npm test",
      repository: "r",
      profile: "standard",
      repair_rounds,
      ...spec,
    },
    definition: workflows[workflow],
    submission_hash: hash,
    trace_id: "1".repeat(32),
    traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    version: 1,
    created_at: at,
    updated_at: at,
    deadline_at: at,
  });
}

function step(name: string, round: number, outcome?: Partial<StepRecord["outcome"]>): StepRecord {
  return StepRecord.parse({
    tenant: "acme",
    task_id: `task_${"0".repeat(26)}`,
    step: name,
    round,
    service: "x",
    status: outcome ? "completed" : "running",
    idempotency_key: hash,
    source_hash: hash,
    owner: "o",
    fence: 1,
    lease_expires_at: 0,
    attempts: 1,
    history: [],
    started_at: at,
    outcome: outcome && { verdict: "passed", artifacts: [], ...outcome },
  });
}

/** Of a task whose index is waited for, as its source is in git. */
const ledger = (steps: StepRecord[], workflow = "change", rounds?: number): Ledger => ({
  task: task(workflow, rounds, { source: git }),
  steps,
});
/** Of a task whose index runs beside the change. */
const beside = (...steps: StepRecord[]): Ledger => ({ task: task("change"), steps });

/** The step that the workflow has come to; what has finished. */
function first(of: Ledger) {
  const decided = decide(of);
  return decided.kind === "run" ? decided.steps[0] : decided;
}
const names = (of: Ledger) => {
  const decided = decide(of);
  return decided.kind === "run" ? decided.steps.map(({ step, round }) => `${step} ${round}`) : decided;
};
const indexed = step("index", 0, { output: { source: "resolved" } });
const generated = (round: number) => step("codegen", round, { output: { source: "s", diff: `d${round}` } });
const broken = (round: number) => step("buildtest", round, { verdict: "failed", code: "TESTS_FAILED" });

describe("deciding what is next", () => {
  it("starts with the first step, its input taken from the task", () => {
    expect(first(ledger([]))).toMatchObject({
      step: "index",
      round: 0,
      input: { repository: "r", source: git },
    });
  });

  it("gives a later step what an earlier one put out", () => {
    expect(first(ledger([indexed]))).toMatchObject({
      step: "codegen",
      input: { source: "resolved", round: 0 },
    });
  });

  it("goes on without an optional step that failed, on the task's own source", () => {
    const next = first(ledger([step("index", 0, { verdict: "error", code: "X_Y" })]));
    expect(next).toMatchObject({ step: "codegen", input: { source: git } });
  });

  it("waits for a step that is running", () => {
    expect(first(ledger([indexed, step("codegen", 0)]))).toMatchObject({
      step: "codegen",
      record: { status: "running" },
    });
  });

  it("starts a repair round when the tests fail, and keeps the rounds apart", () => {
    const next = first(ledger([indexed, generated(0), broken(0)]));
    expect(next).toMatchObject({ step: "codegen", round: 1, input: { round: 1 } });
    const test = first(ledger([indexed, generated(0), broken(0), generated(1)]));
    expect(test).toMatchObject({ step: "buildtest", round: 1, input: { diff: "d1" } });
  });

  it("makes no more rounds than the submitter allowed", () => {
    expect(first(ledger([indexed, generated(0), broken(0)], "change", 0))).toMatchObject({
      kind: "finished",
      verdict: "failed",
      error: { code: "TESTS_FAILED", step: "buildtest" },
    });
  });

  it("stops when a round makes the change of an earlier one and fails as it did", () => {
    const made = (round: number, diff: string) => step("codegen", round, { output: { source: "s", diff } });
    const failed = (round: number, failure: string) =>
      step("buildtest", round, {
        verdict: "failed",
        code: "TESTS_FAILED",
        message: "1 failed",
        output: { failure },
      });
    const round0 = [indexed, made(0, "d"), failed(0, "f")];
    expect(first(ledger([...round0, made(1, "other"), failed(1, "f")]))).toMatchObject({
      step: "codegen",
      round: 2,
    });
    expect(first(ledger([...round0, made(1, "d"), failed(1, "other")]))).toMatchObject({
      step: "codegen",
      round: 2,
    });
    expect(first(ledger([...round0, made(1, "d"), failed(1, "f")]))).toMatchObject({
      kind: "finished",
      verdict: "failed",
      error: {
        code: "TESTS_FAILED",
        message: "1 failed (round 1 made the same change and failed the same way as round 0)",
      },
    });
    const later = [...round0, made(1, "x"), failed(1, "y"), made(2, "d"), failed(2, "f")];
    expect(first(ledger(later))).toMatchObject({
      kind: "finished",
      error: { message: expect.stringMatching(/round 2 .* round 0/) },
    });
  });

  it("goes on when a failure has no fingerprint", () => {
    expect(first(ledger([indexed, generated(0), broken(0), generated(0), broken(0)]))).toMatchObject({
      round: 1,
    });
  });

  it("gives a repair round what the one before made, and how it failed", () => {
    const made = step("codegen", 0, {
      output: { source: "s", diff: "d0", memory: "m0", spent: { tokens: 7 } },
    });
    const failed = step("buildtest", 0, {
      verdict: "failed",
      code: "TESTS_FAILED",
      output: { report: "r0" },
    });
    expect(first(ledger([indexed, made, failed]))).toMatchObject({
      step: "codegen",
      input: { round: 1, previous_diff: "d0", report: "r0", memory: "m0", spent: { tokens: 7 } },
    });
    const { input } = first(ledger([indexed])) as { input: object };
    expect(Object.keys(input).sort()).toEqual(["change", "round", "source"]);
  });

  it("keeps the tests' failure when no repair could be made, and names why one failed", () => {
    const no_repair = step("codegen", 1, { verdict: "failed", code: "NO_REPAIR_LEFT" });
    const end = first(ledger([indexed, generated(0), broken(0), no_repair]));
    expect(end).toMatchObject({ kind: "finished", verdict: "failed", error: { code: "TESTS_FAILED" } });
    expect((end as { error: { message: string } }).error.message).not.toContain("repair");
    const refused = step("codegen", 1, { verdict: "failed", code: "DIFF_DOES_NOT_APPLY" });
    expect(first(ledger([indexed, generated(0), broken(0), refused]))).toMatchObject({
      error: {
        code: "TESTS_FAILED",
        message: expect.stringContaining("(repair round 1: DIFF_DOES_NOT_APPLY)"),
      },
    });
  });

  it("does not repair a broken environment", () => {
    const error = step("buildtest", 0, { verdict: "error", code: "BUILD_ENVIRONMENT_BROKEN" });
    expect(first(ledger([indexed, generated(0), error]))).toMatchObject({
      kind: "finished",
      verdict: "error",
    });
  });

  it("indexes the result only of a change that passed", () => {
    const passed = step("buildtest", 0, { output: { report: "r" } });
    expect(first(ledger([indexed, generated(0), passed]))).toMatchObject({
      step: "index_result",
      input: { source: "s", diff: "d0", report: "r" },
    });
  });

  it("ends passed when every step did", () => {
    const passed = step("buildtest", 0, {});
    expect(first(ledger([passed], "buildtest"))).toEqual({ kind: "finished", verdict: "passed" });
  });
});

describe("an index beside the change", () => {
  const code = step("codegen", 0, { output: { source: "s", diff: "d0" } });
  const tested = step("buildtest", 0, { output: { report: "r" } });
  const indexing = step("index", 0);

  it("starts with the change, which takes the task's own source, before and after the index has ended", () => {
    expect(names(beside())).toEqual(["codegen 0", "index 0"]);
    expect(decide(beside()).kind === "run" && first(beside())).toMatchObject({ input: { source } });
    expect(first(beside(indexed))).toMatchObject({ step: "codegen", input: { source } });
    expect(names(beside(indexed))).toEqual(["codegen 0"]);
  });

  it.each([
    ["a source in git", { source: git }],
    ["words", { change: { kind: "prompt", text: { key: "p", sha256: hash, bytes: 1 } } }],
  ])("is waited for with %s", (_, spec) => {
    expect(names({ task: task("change", undefined, spec), steps: [] })).toEqual(["index 0"]);
  });

  it("runs on through repairs", () => {
    expect(names(beside(indexing, code, broken(0)))).toEqual(["codegen 1", "index 0"]);
  });

  it("is waited for by the index of the result, which takes over its snapshot", () => {
    expect(names(beside(indexing, code, tested))).toEqual(["index 0"]);
    expect(names(beside(indexed, code, tested))).toEqual(["index_result 0"]);
  });

  it("is waited for by a task that fails, so that no step is open when it ends", () => {
    const refused = step("codegen", 0, { verdict: "failed", code: "DIFF_DOES_NOT_APPLY" });
    expect(names(beside(indexing, refused))).toEqual(["index 0"]);
    expect(first(beside(indexed, refused))).toMatchObject({
      kind: "finished",
      verdict: "failed",
      error: { code: "DIFF_DOES_NOT_APPLY", step: "codegen" },
    });
  });

  const lost = step("index", 0, { verdict: "error", code: "EMBEDDER_FAILED" });

  it("fails nothing when it is optional, as when it was waited for", () => {
    expect(names(beside(lost, code, tested))).toEqual(["index_result 0"]);
  });

  it("fails the task when it is not optional, once the step comes that waits for it", () => {
    const strict = task("change");
    strict.definition.steps[0]!.optional = false;
    expect(names({ task: strict, steps: [lost] })).toEqual(["codegen 0"]);
    expect(decide({ task: strict, steps: [lost, code, tested] })).toMatchObject({
      kind: "finished",
      verdict: "error",
      error: { code: "EMBEDDER_FAILED", step: "index" },
    });
  });

  it("leaves a failure that came first as the task's", () => {
    const strict = task("change");
    strict.definition.steps[0]!.optional = false;
    const refused = step("codegen", 0, { verdict: "failed", code: "DIFF_DOES_NOT_APPLY" });
    expect(decide({ task: strict, steps: [lost, refused] })).toMatchObject({
      verdict: "failed",
      error: { step: "codegen" },
    });
  });
});

describe("a step for some kinds of change", () => {
  const by_agent = {
    change: { kind: "command", agent: "aider", text: { key: "t", sha256: hash, bytes: 1 } },
  };
  const spec = { source: git, ...by_agent };
  const of = (...steps: StepRecord[]): Ledger => ({ task: task("change", undefined, spec), steps });
  const diff = { key: "d", sha256: hash, bytes: 1 };
  const codes = (round: number) => step("code", round, { output: { source, diff } });

  it("is passed over by a task with another kind, and come to by one with such", () => {
    expect(first(ledger([step("index", 0, {})]))).toMatchObject({ step: "codegen" });
    expect(first(of(step("index", 0, {})))).toMatchObject({ step: "code", service: "coder", round: 0 });
    expect(first(of(step("index", 0, {}), codes(0)))).toMatchObject({
      step: "codegen",
      input: { agent_diff: diff },
    });
  });

  it("is where a repair begins, with what failed, in the next round", () => {
    const report = { key: "r", sha256: hash, bytes: 1 };
    const failed = step("buildtest", 0, { verdict: "failed", code: "TESTS_FAILED", output: { report } });
    const made = step("codegen", 0, { output: { source, diff } });
    const next = first(of(step("index", 0, {}), codes(0), made, failed));
    expect(next).toMatchObject({ step: "code", round: 1, input: { previous_diff: diff, report } });
    const others = first(ledger([step("index", 0, {}), made, failed]));
    expect(others).toMatchObject({ step: "codegen", round: 1 });
  });
});

describe("a round of a coding agent whose change was refused", () => {
  const blob = (key: string) => ({ key, sha256: hash, bytes: 1 });
  const change = { kind: "command", agent: "aider", text: blob("t") };
  const of = (...steps: StepRecord[]): Ledger => ({
    task: task("change", undefined, { source: git, change }),
    steps: [step("index", 0, {}), ...steps],
  });
  const coded = (round: number, diff: string) =>
    step("code", round, { output: { source, diff: blob(diff), spent: { tokens: round, usd_micros: 0 } } });
  const made = (round: number, diff: string) =>
    step("codegen", round, { output: { source, diff: blob(diff) } });
  const message = "package-lock.json is a lock file";
  const flagged = (round: number) =>
    step("codegen", round, { verdict: "failed", code: "CHANGE_FLAGGED", message });
  const red = (round: number, report: string) =>
    step("buildtest", round, {
      ...{ verdict: "failed", code: "TESTS_FAILED", message: "1 failed" },
      output: { report: blob(report), failure: report },
    });

  it("is followed by one that is told why, with what was refused, and begins as it did", () => {
    const next = first(of(coded(0, "d0"), flagged(0))) as NextStep;
    expect(next).toMatchObject({ step: "code", round: 1 });
    expect(next.input).toMatchObject({
      ...{ refusal: { code: "CHANGE_FLAGGED", message }, refused_diff: blob("d0") },
      spent: { tokens: 0, usd_micros: 0 },
    });
    expect(next.input).not.toHaveProperty("previous_diff");
    const later = first(of(coded(0, "d0"), made(0, "d0"), red(0, "r0"), coded(1, "d1"), flagged(1)));
    expect(later).toMatchObject({
      ...{ step: "code", round: 2 },
      input: {
        previous_diff: blob("d0"),
        report: blob("r0"),
        refused_diff: blob("d1"),
        refusal: { message },
      },
    });
  });

  it("is told of no refusal once a later round was tested", () => {
    const tested = of(coded(0, "d0"), flagged(0), coded(1, "d1"), made(1, "d1"), red(1, "r1"));
    const next = first(tested) as NextStep;
    expect(next).toMatchObject({ round: 2, input: { previous_diff: blob("d1"), report: blob("r1") } });
    expect(next.input).not.toHaveProperty("refusal");
  });

  it("may be refused by the step that ran it, with the change it made", () => {
    const refused = step("code", 0, {
      ...{ verdict: "failed", code: "AGENT_CHANGED_PROTECTED", message: "docs" },
      output: { source, diff: blob("d0") },
    });
    expect(first(of(refused))).toMatchObject({
      ...{ step: "code", round: 1 },
      input: { refused_diff: blob("d0"), refusal: { code: "AGENT_CHANGED_PROTECTED" } },
    });
  });

  it("is the last when it makes the refused change again, or when the rounds are spent", () => {
    expect(first(of(coded(0, "d0"), flagged(0), coded(1, "d0"), flagged(1)))).toMatchObject({
      ...{ kind: "finished", verdict: "failed" },
      error: { code: "CHANGE_FLAGGED", message: expect.stringContaining("round 1 made the same change") },
    });
    const all = [0, 1, 2, 3].flatMap((round) => [coded(round, `d${round}`), flagged(round)]);
    expect(first(of(...all))).toMatchObject({ kind: "finished", error: { code: "CHANGE_FLAGGED" } });
  });

  it("ends the task where the failure is no refusal, or the change is no agent's", () => {
    const failed = step("code", 0, { verdict: "failed", code: "AGENT_FAILED", message: "exit code 1" });
    expect(first(of(failed))).toMatchObject({ kind: "finished", error: { code: "AGENT_FAILED" } });
    expect(first(ledger([step("index", 0, {}), flagged(0)]))).toMatchObject({
      ...{ kind: "finished", error: { code: "CHANGE_FLAGGED" } },
    });
  });
});
