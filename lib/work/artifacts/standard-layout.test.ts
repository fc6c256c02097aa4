import { CopyObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { inlineBlob } from "#lib/platform/blobs/inline-blob.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { filesOf } from "#lib/work/artifacts/artifact-meta.ts";
import { findArtifact, layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import { writeStandardLayout } from "#lib/work/artifacts/standard-layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { ArtifactMeta } from "#schemas/artifacts/artifact-meta.ts";
import { TaskArtifact } from "#schemas/artifacts/task.ts";
import { type ManifestEntry, StepRecord } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";

const AT = "2026-01-01T00:00:00.000Z";
const HASH = "a".repeat(64);
const TRACE = "1".repeat(32);
const TASK_ID = `task_${"0".repeat(26)}`;

const small = (path: string, text: string): ManifestEntry => ({
  path,
  blob: inlineBlob("acme", Buffer.from(text))!,
  content_type: "text/plain",
  schema: null,
});
const large = (path: string): ManifestEntry => ({
  path,
  blob: { key: `tenants/acme/blobs/${HASH}`, sha256: HASH, bytes: 5_000_000 },
  content_type: "text/plain",
  schema: null,
});

function step(name: string, artifacts: ManifestEntry[], round = 0, outcome = {}): StepRecord {
  const producer = { role: "worker", version: "1", trace_id: TRACE };
  return StepRecord.parse({
    ...{ tenant: "acme", task_id: TASK_ID, step: name, round, service: name, status: "completed" },
    ...{ idempotency_key: HASH, source_hash: HASH, owner: "o", fence: 1, lease_expires_at: 0, attempts: 1 },
    ...{ history: [], started_at: AT, ended_at: AT },
    outcome: { verdict: "passed", artifacts, producer, ...outcome },
  });
}

function ledger(...steps: StepRecord[]): Ledger {
  const task = TaskRecord.parse({
    ...{ tenant: "acme", task_id: TASK_ID, status: "succeeded", verdict: "passed", submission_hash: HASH },
    spec: {
      workflow: "w",
      source: { kind: "git", url: "https://example.test/a.git" },
      repository: "r",
      profile: "p",
    },
    definition: {
      description: "fake",
      requires: [],
      steps: steps.map(({ step: name }) => ({ step: name, agent: name, input: {} })),
    },
    ...{ trace_id: TRACE, traceparent: `00-${TRACE}-${"2".repeat(16)}-01`, version: 1 },
    ...{ created_at: AT, updated_at: AT, deadline_at: AT, ended_at: AT, sealed_at: AT },
  });
  return { task, steps };
}

/** Every request, in order; requests of one part end in the reverse order. */
async function written(of: Ledger) {
  const puts: { path: string; body: string | undefined; copied: string | undefined }[] = [];
  const send = async (command: PutObjectCommand | CopyObjectCommand) => {
    const { Key = "" } = command.input;
    const copied = command instanceof CopyObjectCommand ? command.input.CopySource : undefined;
    const body = command instanceof PutObjectCommand ? String(command.input.Body) : undefined;
    puts.push({ path: Key.replace(`tenants/acme/tasks/${TASK_ID}/`, ""), body, copied });
  };
  await writeStandardLayout(of, { s3: { send } as never, bucket: "bucket", service_version: "1" });
  return puts;
}

const run = ledger(step("run", [small("run/output.log", "hello\n"), small("run/report.json", "{}")]));

describe("writing the standard layout", () => {
  it("takes one request a file, none of them for bytes that stand elsewhere", async () => {
    const puts = await written(run);
    expect(puts.map(({ path }) => path).sort()).toEqual([
      "events.jsonl",
      "run/output.log",
      "run/report.json",
      "run/report.json.meta.json",
      "task.json",
    ]);
    expect(puts.find(({ path }) => path === "run/output.log")?.body).toBe("hello\n");
  });

  it("writes the report's meta file and task.json after all other files", async () => {
    const paths = (await written(run)).map(({ path }) => path);
    expect(paths.slice(-2).sort()).toEqual(["run/report.json.meta.json", "task.json"]);
  });

  it("copies what is too large for the ledger, and writes an empty file without a blob", async () => {
    const puts = await written(ledger(step("run", [large("run/output.log"), small("run/empty.log", "")])));
    const found = (path: string) => puts.find((put) => put.path === path);
    expect(found("run/output.log")?.copied).toBe(`bucket/tenants/acme/blobs/${HASH}`);
    expect(found("run/empty.log")).toMatchObject({ body: "", copied: undefined });
  });

  it("keeps each round's report and the file that marks it as complete", async () => {
    const rounds = [0, 1].map((round) =>
      step("run", [small("run/report.json", `{"round":${round}}`)], round),
    );
    const bodies = new Map((await written(ledger(...rounds))).map(({ path, body }) => [path, body]));
    expect(bodies.get("run/report.json")).toBe('{"round":1}');
    expect(bodies.get("run/earlier/run-0/report.json")).toBe('{"round":0}');
    const meta = (path: string) => ArtifactMeta.parse(JSON.parse(bodies.get(path) ?? ""));
    expect(meta("run/earlier/run-0/report.json.meta.json").sha256).toBe(sha256('{"round":0}'));
    expect(meta("run/report.json.meta.json").sha256).toBe(sha256('{"round":1}'));
  });

  it("says in task.json where each file is, and repeats the bytes of none", async () => {
    const puts = await written(run);
    const text = puts.find(({ path }) => path === "task.json")?.body ?? "";
    const [entry] = TaskArtifact.parse(JSON.parse(text)).steps[0]?.outcome?.artifacts ?? [];
    expect(entry?.blob).toEqual({
      key: `tenants/acme/tasks/${TASK_ID}/run/output.log`,
      sha256: sha256("hello\n"),
      bytes: 6,
    });
  });
});

describe("a meta file", () => {
  it("follows from the ledger for every file, though only a report's is an object", () => {
    const content = findArtifact(run, "run/output.log.meta.json")?.content ?? "";
    expect(ArtifactMeta.parse(JSON.parse(content))).toEqual({
      ...{ schema_id: null, schema_version: 1, path: "run/output.log", sha256: sha256("hello\n"), bytes: 6 },
      ...{ content_type: "text/plain", trace_id: TRACE, idempotency_key: HASH, source_hash: HASH },
      producer: { service: "run", role: "worker", version: "1" },
      created_at: AT,
    });
    expect(taskFiles(run, "1").map(({ path }) => path)).toContain("task.json.meta.json");
  });

  it("gives way to a file that the step wrote under that name", () => {
    const own = step("run", [small("run/a", "a"), small("run/a.meta.json", "mine")]);
    const found = filesOf(own).filter(({ path }) => path === "run/a.meta.json");
    expect(found).toHaveLength(1);
    expect(found[0]?.content).toBeUndefined();
  });

  it("is the one in the manifest of a step that was written when it stood there", () => {
    const before = step("run", [small("run/a", "a"), small("run/a.meta.json", "{}")], 0, {
      producer: undefined,
    });
    expect(layoutArtifacts(ledger(before)).map(({ path }) => path)).toEqual(["run/a", "run/a.meta.json"]);
  });
});
