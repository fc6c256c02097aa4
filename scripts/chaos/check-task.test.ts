import { describe, expect, it } from "vitest";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { Api } from "../../cli/api.ts";
import { checkTask } from "./check-task.ts";
import type { Operator } from "./operator.ts";
import type { Accepted } from "./submitter.ts";

const log = {
  path: "run/output.log",
  href: "/x",
  bytes: 3,
  sha256: sha256("log"),
  content_type: "text/plain",
};
const history = [{ owner: "one" }, { owner: "two" }];
const step = { step: "run", round: 0, status: "completed", owner: "two", fence: 2, history };

interface World {
  view: Partial<TaskView>;
  record: Partial<StepRecord>;
  read: string;
  layout: [string, string][];
  known: boolean;
}

/** A task that ended as it must, but for what `changes` says. */
async function violations(changes: Partial<World> = {}): Promise<string[]> {
  const entry = {
    path: log.path,
    blob: { key: "k", sha256: log.sha256, bytes: 3 },
    content_type: "text/plain",
  };
  const outcome = { verdict: "passed", artifacts: [entry] };
  const record = { ...step, outcome, ...changes.record };
  const view = {
    status: "succeeded",
    ended_at: "2026-01-01T00:00:00.000Z",
    steps: [{ step: "run", round: 0, verdict: "passed" }],
    artifacts: [log],
    ...changes.view,
  };
  const api = { get: async () => view, download: async () => Buffer.from(changes.read ?? "log") };
  const ledger = { task: {}, steps: [record] } as unknown as Ledger;
  const operator = {
    ledger: async () => (changes.known === false ? undefined : ledger),
    layout: async () => new Map(changes.layout ?? [[log.path, log.sha256]]),
  };
  const expected = { status: "succeeded", steps: ["run#0 passed"] };
  const task = { tenant: "t", task_id: "task_1", api: api as unknown as Api, expected };
  return (await checkTask(task as unknown as Accepted, operator as unknown as Operator)).violations;
}

describe("the check of a task after the kills", () => {
  it("finds nothing wrong with one that ended once with all it left", async () => {
    expect(await violations()).toEqual([]);
  });

  it.each<[string, Partial<World>, RegExp]>([
    ["is not in the table", { known: false }, /not in the table/],
    ["has not ended", { view: { ended_at: undefined } }, /lost/],
    ["ended otherwise", { view: { status: "failed" } }, /failed instead of succeeded/],
    ["went through a step twice", { view: { steps: [] } }, /instead of run#0/],
    ["has a step without outcome", { record: { status: "running" } }, /run#0 is running/],
    ["was ended by who lost the lease", { record: { owner: "one" } }, /another than its last claimant/],
    ["was claimed without a new token", { record: { fence: 1 } }, /2 claims and fence 1/],
    ["reads as other bytes", { read: "lag" }, /other bytes/],
    ["misses a file in the bucket", { layout: [] }, /missing in the bucket/],
    ["has other bytes in the bucket", { layout: [[log.path, sha256("lag")]] }, /differs in the bucket/],
    [
      "has a file of nobody in the bucket",
      {
        layout: [
          [log.path, log.sha256],
          ["run/old.log", log.sha256],
        ],
      },
      /in no manifest/,
    ],
  ])("tells of one that %s", async (_name, changes, told) => {
    expect((await violations(changes)).join("\n")).toMatch(told);
  });

  it("tells of a step that lists an artifact twice", async () => {
    const blob = { key: "k", sha256: log.sha256, bytes: 3 };
    const entry = { path: log.path, blob, content_type: "text/plain" };
    const outcome = { verdict: "passed" as const, artifacts: [entry, entry] };
    expect(await violations({ record: { outcome } })).toEqual([expect.stringContaining("artifacts twice")]);
  });
});
