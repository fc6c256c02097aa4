import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { findArtifact } from "#lib/work/artifacts/layout.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import { ArtifactIndex, TaskList } from "#schemas/http/task-view.ts";
import { listArtifacts } from "../../functions/gateway/list-artifacts.ts";
import { ArtifactQuery, ListQuery } from "../../functions/gateway/queries.ts";
import { listTasks } from "../../functions/gateway/read-task.ts";
import { realTable } from "../fakes/real-table.ts";
import { manifestEntry, taskWriter } from "../fakes/real-task.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
let store: Awaited<ReturnType<typeof realTable>>;
let now = START;
let tenants = 0;
let tenant = "";
const runtime = { ...systemRuntime, now: () => now };
const ports = () => ({ ...store, runtime });
const writer = () => taskWriter(tenant, ports());

beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());
beforeEach(() => {
  tenants += 1;
  tenant = `tenant-${tenants}`;
  now = START;
});

const index = async (query: Record<string, string>) =>
  ArtifactIndex.parse(await listArtifacts(tenant, ArtifactQuery.parse(query), ports()));
const steps = ({ entries }: ArtifactIndex) => entries.map(({ step, round }) => `${step}-${round}`);

/** `count` sets a second apart, oldest first; the n-th is in its own step. Returns their task. */
async function writeSets(count: number, kindOf: (n: number) => string = () => "run") {
  const task = await writer().accept(1);
  for (let n = 0; n < count; n += 1) {
    now = START + n * 1000;
    const verdict = n % 2 ? ("failed" as const) : ("passed" as const);
    const file = manifestEntry(`${kindOf(n)}/report.json`);
    await writer().complete(task, { step: `step${n}`, service: n % 3 ? "sandbox" : "codegen", verdict }, [
      file,
    ]);
  }
  return task;
}

/** All pages of a query, each but the last full. */
async function walk(query: Record<string, string>, between: () => Promise<void> = async () => {}) {
  const seen: string[] = [];
  const sizes: number[] = [];
  let page = await index(query);
  for (let pages = 0; pages < 100; pages += 1) {
    seen.push(...steps(page));
    sizes.push(page.entries.length);
    if (page.next_cursor === null) return { seen, sizes };
    await between();
    page = await index({ ...query, cursor: page.next_cursor });
  }
  throw new Error("it never ends");
}

describe("the artifact index", () => {
  it("lists complete sets only, newest first, with their kind", async () => {
    const task = await writeSets(3);
    now += 1000;
    await writer().complete(task, { step: "crashed", verdict: "error" }, []);
    const found = await index({});
    expect(steps(found)).toEqual(["crashed-0", "step2-0", "step1-0", "step0-0"]);
    expect(found.entries.map(({ kind }) => kind)).toEqual([null, "run", "run", "run"]);
    expect(found.next_cursor).toBeNull();
  });

  it("gives every set once, on full pages, and says at the last that it is the last", async () => {
    await writeSets(12);
    const { seen, sizes } = await walk({ limit: "4" });
    expect(sizes).toEqual([4, 4, 4]);
    expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => `step${11 - n}-0`));
  });

  it("fills pages however rare the wanted sets are", async () => {
    await writeSets(23, (n) => (n % 6 === 0 ? "build-test" : "run"));
    const rare = await walk({ kind: "build-test", limit: "2" });
    expect(rare).toEqual({ seen: ["step18-0", "step12-0", "step6-0", "step0-0"], sizes: [2, 2] });
    expect((await walk({ kind: "build-test", verdict: "failed" })).seen).toEqual([]);
    expect((await walk({ producer: "codegen", verdict: "failed" })).seen).toEqual([
      "step21-0",
      "step15-0",
      "step9-0",
      "step3-0",
    ]);
  });

  it("skips and repeats nothing while more arrives", async () => {
    const task = await writeSets(9);
    let later = 0;
    const { seen } = await walk({ limit: "2" }, async () => {
      later += 1;
      now = START + 60_000 + later;
      await writer().complete(task, { step: `later${later}` }, [manifestEntry("run/report.json")]);
    });
    expect(seen).toEqual(Array.from({ length: 9 }, (_, n) => `step${8 - n}-0`));
  });

  it("takes times as from and before, in any time zone", async () => {
    const task = await writeSets(6);
    expect((await walk({ since: at(2), until: at(4), limit: "1" })).seen).toEqual(["step3-0", "step2-0"]);
    expect((await walk({ since: "2026-11-22T12:00:04+02:00" })).seen).toEqual(["step5-0", "step4-0"]);
    expect((await walk({ until: at(0) })).seen).toEqual([]);
    expect(
      (await walk({ since: "0000-01-01T00:00:00+23:00", until: "9999-12-31T23:59:59-23:00" })).seen,
    ).toHaveLength(6);
    const task_id = task.task_id;
    expect((await walk({ task: task_id, since: at(2), until: at(4) })).seen).toEqual(["step3-0", "step2-0"]);
  });

  it("refuses a cursor of other filters, of another list, and none of ours", async () => {
    const task = await writeSets(6);
    const { next_cursor: cursor } = await index({ limit: "1", kind: "run" });
    const refused = { status: 400, code: "CURSOR_INVALID" };
    const others: Record<string, string>[] = [
      {},
      { kind: "codegen" },
      { kind: "run", verdict: "passed" },
      { kind: "run", since: at(0) },
      { kind: "run", task: task.task_id },
    ];
    for (const query of others) {
      await expect(index({ ...query, cursor: cursor! })).rejects.toMatchObject(refused);
    }
    for (const junk of ["x", "W10", "bnVsbA", Buffer.from('["a","b","c","d"]').toString("base64url")]) {
      await expect(index({ cursor: junk })).rejects.toMatchObject(refused);
    }
    tenant = "stranger";
    await expect(index({ kind: "run", cursor: cursor! })).rejects.toMatchObject(refused);
    tenant = `tenant-${tenants}`;
    expect(steps(await index({ kind: "run", limit: "2", cursor: cursor! }))).toEqual(["step4-0", "step3-0"]);
  });

  it("refuses a cursor made up to lie outside of the range", async () => {
    await writeSets(3);
    const since = at(1);
    const { next_cursor } = await index({ since, limit: "1" });
    const parts = JSON.parse(Buffer.from(next_cursor!, "base64url").toString());
    const forged = Buffer.from(JSON.stringify([parts[0], parts[1], parts[2], at(0)])).toString("base64url");
    await expect(index({ since, limit: "1", cursor: forged })).rejects.toMatchObject({
      code: "CURSOR_INVALID",
    });
  });

  it("gives the latest set of each kind of a task in one call", async () => {
    const task = await writer().accept(1);
    for (const [round, verdict] of [
      [0, "failed"],
      [1, "passed"],
    ] as const) {
      for (const [step, kind] of [
        ["codegen", "codegen"],
        ["buildtest", "build-test"],
      ] as const) {
        now += 1000;
        await writer().complete(task, { step, round, verdict }, [manifestEntry(`${kind}/report.json`)]);
      }
    }
    now += 1000;
    await writer().complete(task, { step: "index", verdict: "error" }, []);
    const query = { task: task.task_id, latest: "true" };
    expect(steps(await index(query))).toEqual(["buildtest-1", "codegen-1"]);
    expect(steps(await index({ ...query, kind: "build-test" }))).toEqual(["buildtest-1"]);
    expect(steps(await index({ ...query, verdict: "failed" }))).toEqual([]);
    expect((await walk({ ...query, limit: "1" })).sizes).toEqual([1, 1]);
    await expect(index({ latest: "true" })).rejects.toMatchObject({ status: 422, code: "FIELD_REQUIRED" });
    const nobody = { task: `task_${"9".repeat(26)}` };
    await expect(index(nobody)).rejects.toMatchObject({ status: 404, code: "TASK_NOT_FOUND" });
    await expect(index({ task: "a#b" })).rejects.toMatchObject({ status: 404, code: "TASK_NOT_FOUND" });
  });

  it("links each round to its own files", async () => {
    const task = await writer().accept(1);
    const first = { ...manifestEntry("run/report.json"), content_type: "text/x-first" };
    await writer().complete(task, { step: "run", round: 0 }, [first]);
    now += 1000;
    await writer().complete(task, { step: "run", round: 1 }, [manifestEntry("run/report.json")]);
    const artifacts = (await index({})).entries.map((entry) => entry.artifacts[0]);
    expect(artifacts.map((artifact) => artifact?.path)).toEqual(["run/report.json", "run/report.json"]);
    const ledger = await readLedger(tenant, task.task_id, ports());
    const types = artifacts.map((artifact) => {
      const path = artifact?.href.replace(`/artifacts/${task.task_id}/`, "") ?? "";
      return findArtifact(ledger!, path)?.content_type;
    });
    expect(types).toEqual(["text/plain", "text/x-first"]);
  });

  it("shows nothing past its time, whether DynamoDB deleted it or not", async () => {
    const task = await writeSets(2);
    await writer().end(task);
    expect((await index({})).entries).toHaveLength(2);
    now += 32 * 86_400_000;
    expect((await index({})).entries).toEqual([]);
    await expect(index({ task: task.task_id })).rejects.toMatchObject({ status: 404 });
    expect((await listTasks(tenant, ListQuery.parse({}), ports())).tasks).toEqual([]);
  });
});

describe("the list of tasks", () => {
  it("is filtered by status as shown and by time, on full pages", async () => {
    for (let n = 0; n < 9; n += 1) {
      now = START + n * 1000;
      const task = await writer().accept(n);
      if (n % 3 === 0) await writer().end(task, "failed");
    }
    const list = async (query: Record<string, string>) =>
      TaskList.parse(await listTasks(tenant, ListQuery.parse(query), ports()));
    const numbers = ({ tasks }: TaskList) => tasks.map(({ task_id }) => Number(task_id.slice(-1)));
    const first = await list({ status: "failed", limit: "2" });
    expect(numbers(first)).toEqual([6, 3]);
    const rest = await list({ status: "failed", limit: "2", cursor: first.next_cursor! });
    expect([numbers(rest), rest.next_cursor]).toEqual([[0], null]);
    expect(numbers(await list({ status: "accepted", since: at(5), until: at(8) }))).toEqual([7, 5]);
    expect(numbers(await list({ status: "canceled" }))).toEqual([]);
    expect(ListQuery.safeParse({ status: "lost" }).success).toBe(false);
    expect(ListQuery.safeParse({ since: "yesterday" }).success).toBe(false);
    await expect(list({ status: "accepted", cursor: first.next_cursor! })).rejects.toMatchObject({
      code: "CURSOR_INVALID",
    });
  });
});
