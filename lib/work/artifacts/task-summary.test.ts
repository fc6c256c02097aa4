import { describe, expect, it } from "vitest";
import { inlineBlob, inlineBytes } from "#lib/platform/blobs/inline-blob.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { findArtifact, layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { StepRecord } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";

const AT = "2026-01-01T00:00:00.000Z";
const HASH = "a".repeat(64);
const TRACE = "1".repeat(32);
const TASK_ID = `task_${"0".repeat(26)}`;
const OWN = "# Make add add\n\nIt adds now.\n";

function step(name: string, round: number, outcome: object): StepRecord {
  const producer = { role: "worker", version: "1", trace_id: TRACE };
  return StepRecord.parse({
    ...{ tenant: "acme", task_id: TASK_ID, step: name, round, service: name, status: "completed" },
    ...{ idempotency_key: HASH, source_hash: HASH, owner: "o", fence: 1, lease_expires_at: 0, attempts: 1 },
    ...{ history: [], started_at: AT, ended_at: AT },
    outcome: { verdict: "passed", artifacts: [], producer, ...outcome },
  });
}

const blob = { key: `tenants/acme/blobs/${HASH}`, sha256: HASH, bytes: 1 };
const source = { kind: "archive", blob };

function changed(round: number, spent?: object, text: string | undefined = OWN): StepRecord {
  const own = inlineBlob("acme", Buffer.from(text))!;
  return step("codegen", round, {
    output: {
      source,
      diff: blob,
      provider: "model",
      files_changed: 1,
      insertions: 1,
      deletions: 1,
      ...(spent && { spent }),
    },
    artifacts: [{ path: "codegen/summary.md", blob: own, content_type: "text/markdown", schema: null }],
  });
}

function tested(round: number, [passed, failed]: [number, number], failed_tests: string[] = []): StepRecord {
  return step("buildtest", round, {
    verdict: failed === 0 ? "passed" : "failed",
    ...(failed > 0 && { code: "TESTS_FAILED", message: `${failed} of ${passed + failed} tests failed` }),
    output: {
      ...{
        source,
        verdict: "passed",
        report: blob,
        tests_passed: passed,
        tests_failed: failed,
        tests_skipped: 0,
      },
      ...(failed_tests.length > 0 && { failed_tests }),
    },
  });
}

function ledger(
  steps: StepRecord[],
  task: object = { status: "succeeded", verdict: "passed", ended_at: AT, sealed_at: AT },
  before: object[] = [],
): Ledger {
  const record = TaskRecord.parse({
    ...{ tenant: "acme", task_id: TASK_ID, submission_hash: HASH, ...task },
    spec: {
      ...{ workflow: "change", source, repository: "r", profile: "standard" },
      ...{ install: "npm ci", test: "npm test | tee log" },
    },
    definition: {
      ...{ description: "fake", requires: [] },
      steps: [
        ...before,
        { step: "codegen", agent: "codegen", input: {} },
        { step: "buildtest", agent: "buildtest", input: {}, repair: { back_to: "codegen", rounds_max: 3 } },
      ],
    },
    ...{ trace_id: TRACE, traceparent: `00-${TRACE}-${"2".repeat(16)}-01`, version: 1 },
    ...{ created_at: AT, updated_at: AT, deadline_at: AT },
  });
  return { task: record, steps };
}

const textAt = (of: Ledger, path = "codegen/summary.md") => {
  const file = findArtifact(of, path);
  return file && inlineBytes(file.blob)?.toString("utf8");
};

describe("the summary of a task that has ended", () => {
  it("tells how the change was verified, what was mended, and every round", () => {
    const of = ledger([
      changed(0, { tokens: 120, usd_micros: 3000 }),
      tested(0, [10, 2], ["sum > adds", "sum > adds | twice"]),
      changed(1, { tokens: 270, usd_micros: 7500 }),
      tested(1, [12, 0]),
    ]);
    expect(textAt(of)).toBe(
      `# Make add add

It adds now.

## How it was verified

**Passed**: 12 passed.

Run in the sandbox (profile standard): install <code>npm ci</code>, test <code>npm test &#124; tee log</code>.
The diff was applied to a fresh copy of the source and gave exactly the edited tree.

Failed in an earlier round and pass now:

- <code>sum > adds</code>
- <code>sum > adds &#124; twice</code>

## Rounds

| Round | Change | Tests | Tokens | Cost | Result |
|---|---|---|---:|---:|---|
| first | 1 file, +1 −1 | 2 failed, 10 passed | 120 | 0.0030 USD | 2 of 12 tests failed. |
| repair 1 (kept) | 1 file, +1 −1 | 12 passed | 150 | 0.0045 USD | passed |

All rounds: 270 tokens, 0.0075 USD.

What other rounds made is under <code>codegen/earlier</code> and <code>build-test/earlier</code>.
`.replaceAll("sum > adds", "sum &#62; adds"),
    );
    expect(textAt(of, "codegen/earlier/codegen-0/summary.md"), "an earlier round's stays its own").toBe(OWN);
  });

  it("tells of one round without a model, and that the tests were not run before", () => {
    const text = textAt(ledger([changed(0), tested(0, [3, 0])]));
    expect(text).toContain("**Passed**: 3 passed.\nThe tests were not run before the change.\n");
    expect(text).toContain(
      "| Round | Change | Tests | Result |\n|---|---|---|---|\n| first | 1 file, +1 −1 | 3 passed | passed |\n",
    );
    expect(text).not.toContain("earlier");
    expect(textAt(ledger([changed(0), tested(0, [0, 0])]))).toContain("by the exit code alone");
  });

  it("says plainly why a task did not pass, with the tests that fail still, in the best round", () => {
    const error = { code: "TESTS_FAILED", message: "2 of 3 tests failed", step: "buildtest" };
    const failed = { status: "failed", verdict: "failed", error, ended_at: AT, sealed_at: AT };
    const rounds = [changed(0), tested(0, [2, 1], ["a"]), changed(1), tested(1, [1, 2], ["a", "b"])];
    const text = textAt(ledger(rounds, failed)) ?? "";
    expect(text).toContain("**Failed**: 1 failed, 2 passed. TESTS_FAILED: 2 of 3 tests failed.\n");
    expect(text).toContain("Fail still:\n\n- <code>a</code>\n");
    expect(text).not.toContain("pass now");
    expect(text).toContain("| first (kept) |");
    expect(text).toContain("| repair 1 | 1 file, +1 −1 | 2 failed, 1 passed | 2 of 3 tests failed. |");
  });

  it("shows rounds that were refused, and what a coding agent did not state", () => {
    const code = (round: number, use: object | null, output: object, outcome: object = {}) => {
      const run = { name: "a", duration_ms: 1, profile: "small", isolation: "full", log: "l", use };
      return step("code", round, { output: { source, run, ...output }, ...outcome });
    };
    const use = { tokens: 9, input_tokens: 5, cached_input_tokens: null, output_tokens: 4, usd: null };
    const refused = { verdict: "failed", code: "AGENT_CHANGED_PROTECTED", message: "it changed docs" };
    const spent = { tokens: 9, usd_micros: 0 };
    const rounds = [
      code(0, use, { spent }, refused),
      ...[code(1, null, { spent }), changed(1, spent), tested(1, [3, 0])],
    ];
    const agent_step = {
      ...{ step: "code", agent: "coder", input: {} },
      repair: { back_to: "code", rounds_max: 3, codes: ["AGENT_CHANGED_PROTECTED"] },
    };
    const text = textAt(ledger(rounds, undefined, [agent_step])) ?? "";
    expect(text).toContain("| first | none | – | 9 | 0.0000 USD | it changed docs. |");
    expect(text).toContain(
      "| repair 1 (kept) | 1 file, +1 −1 | 3 passed | not stated | not stated | passed |",
    );
  });

  it("names no test as mended when not all that fail are named", () => {
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const text = textAt(
      ledger([changed(0), tested(0, [0, 30], ["x"]), changed(1), tested(1, [5, 25], names)], {
        ...{ status: "failed", verdict: "failed", ended_at: AT, sealed_at: AT },
      }),
    );
    expect(text).not.toContain("pass now");
  });

  it("is what the list, the meta file and task.json say it is", () => {
    const of = ledger([changed(0), tested(0, [3, 0])]);
    const digest = sha256(textAt(of) ?? "");
    const listed = layoutArtifacts(of).find(({ path }) => path === "codegen/summary.md");
    expect(listed?.blob.sha256).toBe(digest);
    expect(findArtifact(of, "codegen/summary.md.meta.json")?.content).toContain(digest);
    expect(taskFiles(of, "1").find(({ path }) => path === "task.json")?.content).toContain(digest);
  });

  it("stays that of the round while the task runs, and where it does not travel in the ledger", () => {
    const steps = [changed(0), tested(0, [3, 0])];
    expect(textAt(ledger(steps, { status: "running" }))).toBe(OWN);
    const [first] = steps;
    const { inline: _, ...elsewhere } = first!.outcome!.artifacts[0]!.blob;
    first!.outcome!.artifacts[0]!.blob = elsewhere;
    expect(findArtifact(ledger(steps), "codegen/summary.md")?.blob).toEqual(elsewhere);
  });
});
