import { S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { isStored, storedFiles } from "#lib/work/artifacts/standard-layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { taskView } from "#lib/work/views/task-view.ts";
import { RoutePolicy } from "#schemas/config/route-policies.ts";
import { TaskView } from "#schemas/http/task-view.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { manifestEntry } from "#test/fakes/real-task.ts";
import { linkHeaders, mayReadArtifacts, TASK_FILE_PATHS, withLinks } from "./artifact-links.ts";

const at = "2026-11-30T10:00:00.000Z";
const TASK = {
  tenant: "acme",
  task_id: `task_${"0".repeat(26)}`,
  status: "running",
  spec: {
    workflow: "run",
    source: { kind: "git", url: "https://x.test/a.git" },
    repository: "r",
    profile: "small",
  },
  definition: {
    description: "d",
    requires: [],
    steps: [{ step: "run", agent: "sandbox", input: { source: "source" } }],
  },
  submission_hash: "0".repeat(64),
  trace_id: "a".repeat(32),
  traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  version: 1,
  created_at: at,
  updated_at: at,
  deadline_at: at,
} as unknown as TaskRecord;
const ENDED = { ...TASK, status: "succeeded", ended_at: at, sealed_at: at } as TaskRecord;

function ledgerOf(task: TaskRecord, artifacts: ManifestEntry[] = [manifestEntry("run/output.log")]): Ledger {
  const step = {
    tenant: "acme",
    task_id: TASK.task_id,
    step: "run",
    round: 0,
    service: "sandbox",
    status: "completed",
    idempotency_key: "b".repeat(64),
    source_hash: "c".repeat(64),
    owner: "o",
    fence: 1,
    lease_expires_at: 0,
    attempts: 1,
    history: [],
    started_at: at,
    ended_at: at,
    outcome: { verdict: "passed", artifacts },
  } as unknown as StepRecord;
  return { task, steps: [step] };
}

const isMeta = ({ path }: { path: string }) => path.endsWith(".meta.json");
let asked = 0;
const ports = {
  s3: new S3Client({
    region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    requestHandler: {
      handle: async () => {
        asked += 1;
        throw new Error("signing asks for nothing");
      },
    },
  }),
  settings: { artifact_bucket: "bucket", service_version: "1" },
  runtime: { now: () => Date.parse(at) },
} as never;

const linked = (ledger: Ledger) => withLinks(taskView(ledger, "1"), ledger, ports);

describe("links to artifacts", () => {
  it("are one for each artifact, valid for five minutes, and made without a request", async () => {
    const view = await linked(ledgerOf(ENDED));
    expect(TaskView.parse(view).links).toMatchObject({
      expires_seconds: 300,
      expires_at: "2026-11-30T10:05:00.000Z",
    });
    for (const { path, url } of view.artifacts.filter((one) => !isMeta(one))) {
      const link = new URL(url ?? "");
      expect([path, link.searchParams.get("X-Amz-Expires")]).toEqual([path, "300"]);
      expect(link.searchParams.get("X-Amz-SignedHeaders")).toBe("host");
    }
    expect(view.artifacts.map(({ path }) => path)).toContain("run/output.log");
    expect(asked).toBe(0);
  });

  it("lead to the blob of a step's file, and to the task's own files once they are written", async () => {
    const view = await linked(ledgerOf(ENDED));
    const places = Object.fromEntries(
      view.artifacts.flatMap(({ path, url }) => (url ? [[path, new URL(url).pathname]] : [])),
    );
    expect(places["run/output.log"]).toBe("/tenants/acme/blobs/none");
    for (const { path } of taskFiles(ledgerOf(ENDED), "1").filter(isStored)) {
      expect(places[path]).toBe(`/tenants/acme/tasks/${TASK.task_id}/${path}`);
    }
  });

  it("lead to the layout for a small file, which is in the ledger until then", async () => {
    const small = { ...manifestEntry("run/output.log").blob, inline: "AwA=" };
    const entries = [{ ...manifestEntry("run/output.log"), blob: small }, manifestEntry("run/large.log")];
    const open = await linked(ledgerOf(TASK, entries));
    const linksOf = (view: TaskView) => view.artifacts.filter(({ url }) => url).map(({ path }) => path);
    expect(linksOf(open)).toEqual(["run/large.log"]);
    expect(open.links?.missing[0]).toEqual({
      path: "run/output.log",
      reason: "there is no link to run/output.log yet: it is written to the bucket when the task has ended",
    });
    const ended = await linked(ledgerOf(ENDED, entries));
    expect(ended.artifacts.find(({ path }) => path === "run/output.log")?.url).toContain(
      `/tenants/acme/tasks/${TASK.task_id}/run/output.log?`,
    );
  });

  it("are there for every file that the layout has in the bucket, and a reason for every other", async () => {
    const producer = { role: "worker" as const, version: "1", trace_id: "a".repeat(32) };
    const { task, steps } = ledgerOf(ENDED, [
      manifestEntry("run/output.log"),
      manifestEntry("run/report.json"),
    ]);
    const ledger = {
      task,
      steps: steps.map((step) => ({ ...step, outcome: { ...step.outcome!, producer } })),
    };
    const view = await linked(ledger);
    const stored = storedFiles(ledger, "1").map(({ path }) => path);
    expect(stored).toContain("run/report.json.meta.json");
    expect(view.artifacts.length).toBeGreaterThan(stored.length);
    for (const { path, url } of view.artifacts)
      expect([path, url !== undefined]).toEqual([path, stored.includes(path)]);
    const missing = view.links?.missing ?? [];
    expect(missing.map(({ path }) => path)).toContain("run/output.log.meta.json");
    expect(missing).toHaveLength(view.artifacts.length - stored.length);
  });

  it("say which files have none before the task has ended", async () => {
    const ended_but_not_written = { ...ENDED, sealed_at: undefined } as unknown as TaskRecord;
    for (const task of [TASK, ended_but_not_written]) {
      const view = await linked(ledgerOf(task));
      expect(view.artifacts.map(({ path }) => path)).toEqual(["run/output.log"]);
      expect(view.links?.missing.map(({ path }) => path)).toEqual(TASK_FILE_PATHS);
      expect(view.links?.missing[0]?.reason).toContain("no link to task.json yet");
    }
    const own = taskFiles(ledgerOf(ENDED), "1").map(({ path }) => path);
    expect(own.filter((path) => !path.endsWith(".meta.json"))).toEqual(TASK_FILE_PATHS);
  });

  it("change nothing else of the view, its revision neither", async () => {
    const plain = taskView(ledgerOf(ENDED), "1");
    const { links: _, artifacts, ...rest } = await linked(ledgerOf(ENDED));
    expect({ ...rest, artifacts: artifacts.map(({ url: _url, ...artifact }) => artifact) }).toEqual(plain);
  });

  it("are refused for a ledger that names another tenant's object", async () => {
    for (const key of ["tenants/other/blobs/x", "tenants/acme/../other/blobs/x", "configs/x"]) {
      const ledger = ledgerOf(TASK, [manifestEntry("run/output.log", key)]);
      await expect(linked(ledger)).rejects.toMatchObject({ code: "BLOB_FOREIGN" });
    }
  });
});

describe("the type under which a link opens", () => {
  it.each([
    ["text/plain", "run/output.log"],
    ["text/plain; charset=utf-8", "build-test/test.log"],
    ["text/plain; charset=utf-7", "build-test/test.log"],
    ["text/x-diff", "codegen/diff.patch"],
    ["text/markdown", "codegen/summary.md"],
    ["application/jsonl", "events.jsonl"],
    ["Text/Plain ;charset=x", "a.html"],
  ])("is plain text in UTF-8 for %s", (type, path) => {
    const headers = linkHeaders(path, type);
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(headers["content-disposition"]).toMatch(/^inline; /);
  });

  it("is JSON for JSON", () => {
    expect(linkHeaders("task.json", "application/json")).toEqual({
      "content-type": "application/json",
      "content-disposition": 'inline; filename="task.json"',
    });
  });

  it.each([
    "text/html",
    "TEXT/HTML; charset=utf-8",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/xml",
    "application/xml",
    "application/pdf",
    "text/javascript",
    "text/css",
    "multipart/x-mixed-replace",
    "application/octet-stream",
    "message/rfc822",
    "nonsense",
    "",
    "text/plain, text/html",
  ])("is none that a browser runs or draws for %j: it is saved", (type) => {
    const headers = linkHeaders("run/page.html", type);
    expect(headers["content-type"]).toBe("application/octet-stream");
    expect(headers["content-disposition"]).toBe('attachment; filename="page.html"');
  });

  it("takes no quote or line break of a path into a header", () => {
    const headers = linkHeaders('run/a"\r\nset-cookie: x; filename*=b.html', "text/plain");
    expect(headers["content-disposition"]).toMatch(/^inline; filename="[A-Za-z0-9._-]+"$/);
  });
});

describe("who may not read artifacts gets no links", () => {
  const open = RoutePolicy.partial().parse({ enabled: true }) as RoutePolicy;
  const ask = (policy: RoutePolicy | undefined, scopes: string[]) =>
    mayReadArtifacts({
      tenant: "acme",
      identity: { tenant: "acme", subject: "key:x", scopes },
      platform: { requestGate: { policyOf: () => policy } },
    } as never);

  it("where the artifacts' own route is closed, or wants another scope", () => {
    expect(() => ask(open, ["read"])).not.toThrow();
    expect(() => ask(undefined, ["read"])).toThrow(/no policy opens GET \/artifacts/);
    expect(() => ask({ ...open, enabled: false }, ["read"])).toThrow(/no policy opens/);
    expect(() => ask({ ...open, scope: "operate" }, ["read"])).toThrow(/needs the scope operate/);
    expect(() => ask({ ...open, scope: "operate" }, ["operate"])).not.toThrow();
  });
});
