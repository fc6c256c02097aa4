import { describe, expect, it } from "vitest";
import { at, fakeArtifacts, fakeStep, fakeView, TASK_ID } from "../../test/fakes/fake-task.ts";
import { artifactTree } from "./artifact-tree.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { createPaint } from "./paint.ts";
import { policyTable } from "./policy-table.ts";
import { queryResults } from "./query-results.ts";
import { stepLine } from "./step-line.ts";
import { verdictLines } from "./verdict.ts";

const plain = createPaint(false);

describe("formatDuration and formatBytes", () => {
  it.each([
    [-5, "0 ms"],
    [340, "340 ms"],
    [4_234, "4.2 s"],
    [59_999, "1 min 00 s"],
    [125_000, "2 min 05 s"],
  ])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [999, "999 B"],
    [3_100, "3.1 kB"],
    [52_428_800, "52.4 MB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe("artifactTree", () => {
  const files = { "task.json": "{}", "codegen/diff.patch": "d", "codegen/diff.patch.meta.json": "{}" };

  it("groups by folder, root last, and counts companions instead of listing them", () => {
    expect(artifactTree(fakeArtifacts(files), plain)).toEqual([
      "  codegen/",
      "    diff.patch       1 B",
      "  task.json          2 B",
      "  and 1 .meta.json file with checksum and origin",
    ]);
  });

  it("lists companions when asked, with links to all", () => {
    const url = "https://api.example.test";
    const lines = artifactTree(fakeArtifacts(files), plain, { all: true, url });
    expect(lines.join("\n")).toContain(`${url}/artifacts/${TASK_ID}/codegen/diff.patch.meta.json`);
  });

  it("keeps each folder in one piece, and counts the files of earlier rounds unless asked for them", () => {
    const rounds = fakeArtifacts({
      "build-test/test.log": "",
      "build-test/earlier/buildtest-0/test.log": "",
      "build-test/a.log": "",
    });
    expect(artifactTree(rounds, plain)).toEqual([
      "  build-test/",
      "    a.log          0 B",
      "    test.log       0 B",
      "  and 1 file of earlier rounds",
    ]);
    expect(artifactTree(rounds, plain, { all: true }).filter((line) => line.endsWith("/"))).toEqual([
      "  build-test/",
      "  build-test/earlier/buildtest-0/",
    ]);
  });

  it("says when there is nothing", () => {
    expect(artifactTree([], plain)).toEqual(["  no artifacts yet"]);
  });
});

describe("stepLine", () => {
  it("tells what a step did, each agent's in its own words", () => {
    const line = (output: object) => stepLine(fakeStep("s", { output: { ...output } }), plain, 0, "*");
    expect(line({ files_changed: 1, insertions: 2, deletions: 3 })).toContain("1 file changed, +2 −3");
    expect(line({ files: 3, symbols: 1 })).toContain("3 files, 1 symbol");
    expect(line({ exit_code: 0 })).toContain("exit code 0");
    expect(line({ tests_passed: 2, tests_failed: 0, tests_skipped: 1 })).toContain("2 passed, 1 skipped");
    expect(line({ unheard: "of" }).trimEnd()).toBe("  ✓ s                         1.0 s");
  });

  it("says of a parked step until when and why", () => {
    const parked = { status: "parked" as const, code: "MODEL_QUOTA_SPENT", message: "the quota is spent" };
    const { verdict: _, ...step } = fakeStep("codegen", { ...parked, retry_at: "2026-11-22T14:05:09.123Z" });
    const line = stepLine(step, plain, 0, "*");
    expect(line).toContain("parked until 2026-11-22 14:05:09 UTC  MODEL_QUOTA_SPENT  the quota is spent");
  });

  it("counts the time of a running step up to now", () => {
    const step = fakeStep("codegen", { status: "running" });
    expect(stepLine(step, plain, Date.parse(at(3.5)), "*")).toContain("* codegen                   2.5 s");
  });

  it("gives code and sentence of trouble", () => {
    const fields = { verdict: "failed", code: "DIFF_DOES_NOT_APPLY", message: "Hunk 1 fails." } as const;
    expect(stepLine(fakeStep("codegen", fields), plain, 0, "*")).toContain(
      "DIFF_DOES_NOT_APPLY  Hunk 1 fails.",
    );
  });
});

describe("verdictLines", () => {
  const summary = {
    verdict: "failed" as const,
    code: "TESTS_FAILED",
    reason: "r",
    isolation: "full" as const,
    test_format: "tap" as const,
    test_notice: null,
    tests_passed: 0,
    tests_failed: 1,
    tests_skipped: 0,
    first_failure: "1\n2\n3\n4",
    duration_ms: 1,
  };

  it("says plainly that no test ran, whatever the verdict", () => {
    const none = {
      ...summary,
      tests_failed: 0,
      first_failure: null,
      test_notice: "no test ran: the report counts none",
    };
    const passed = fakeView({ status: "succeeded", verdict: "passed", ended_at: at(1) });
    expect(verdictLines(passed, { ...none, verdict: "passed", code: null }, plain).at(-1)).toBe(
      "  Note: no test ran: the report counts none",
    );
    const failed = fakeView({ status: "failed", verdict: "failed", ended_at: at(1) });
    expect(verdictLines(failed, none, plain).at(-1)).toContain("no test ran");
  });

  it("cuts a long first failure and says where the rest is", () => {
    const view = fakeView({ status: "failed", verdict: "failed", ended_at: at(1) });
    const lines = verdictLines(view, summary, plain, { excerpt_lines_max: 2 });
    expect(lines.slice(-3)).toEqual(["    │ 1", "    │ 2", "    … 2 more: agents logs <task>"]);
  });

  it("claims no verdict for a task that has not ended", () => {
    expect(verdictLines(fakeView(), undefined, plain)).toEqual([`· running  ${TASK_ID}`]);
  });
});

describe("queryResults", () => {
  it("says that nothing was found", () => {
    const answer = { repository: "shop", results: [], revision: "r", words_only: null };
    expect(queryResults(answer, plain, { excerpt_lines_max: 3 })[0]).toContain("Nothing found in shop");
  });

  it("says why meaning was not searched", () => {
    const words_only = { code: "VECTOR_ZERO", detail: "3 stored vectors have no direction." };
    const lines = queryResults({ repository: "shop", results: [], revision: "r", words_only }, plain, {
      excerpt_lines_max: 3,
    });
    expect(lines.at(-1)).toBe("Searched by names and words only: 3 stored vectors have no direction.");
  });
});

describe("policyTable", () => {
  const policy = {
    file: "graph.json",
    schema: "config.graph.schema.json",
    hash: "a".repeat(64),
    source: "configs/graph.json",
    loaded_at: at(0),
    age_seconds: 65,
    state: "in_force" as const,
    reason: null,
    last_rejected: null,
  };
  const table = (fields: object) =>
    policyTable(
      { service: "gateway", source: "configs/", checked_at: at(1), policies: [{ ...policy, ...fields }] },
      plain,
    );

  it("shows a file's version, age and source", () => {
    expect(table({})[0]).toMatch(/^✓ graph\.json {2}aaaaaaaaaaaa +for 1 min 05 s {2}configs\/graph\.json$/);
    expect(table({})).toHaveLength(2);
  });

  it("says below it what is refused, cannot be read, or was mended", () => {
    expect(table({ state: "rejected", reason: "it is not JSON" })[1]).toContain("refused: it is not JSON");
    expect(table({ state: "unreadable", reason: "gone", hash: null, age_seconds: null })[1]).toContain(
      "gone",
    );
    const last_rejected = { at: at(5), hash: null, reason: "it is not UTF-8" };
    expect(table({ last_rejected })[1]).toContain("Mended. Refused at");
  });
});
