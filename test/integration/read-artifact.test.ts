import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { GatewayPorts } from "../../functions/gateway/ports.ts";
import { readArtifact } from "../../functions/gateway/read-artifact.ts";
import { realBucket } from "../fakes/real-bucket.ts";
import { realTable } from "../fakes/real-table.ts";
import { taskWriter } from "../fakes/real-task.ts";

const TENANT = "acme";
const LARGE = 4_000_001;
let table: Awaited<ReturnType<typeof realTable>>;
let store: Awaited<ReturnType<typeof realBucket>>;
let task: TaskRecord;
let ports: GatewayPorts;

beforeAll(async () => {
  [table, store] = await Promise.all([realTable(), realBucket()]);
  const runtime = systemRuntime;
  const blobsOf = (tenant: string) => s3Blobs({ tenant, s3: store.s3, bucket: store.bucket });
  const settings = { artifact_bucket: store.bucket, service_version: "1" };
  ports = { ...table, runtime, s3: store.s3, blobsOf, settings } as unknown as GatewayPorts;
  const blobs = blobsOf(TENANT);
  const writer = taskWriter(TENANT, { ...table, runtime });
  task = await writer.accept(1);
  const files = { "report.json": "{}", "page.html": "<script>", "broken.log": "ab", "gone.log": "gone" };
  const entries = await Promise.all([
    ...Object.entries(files).map(async ([name, text]) => ({
      path: `run/${name}`,
      blob: await blobs.write(text, "text/plain"),
      content_type: name.endsWith("json")
        ? "application/json"
        : name.endsWith("html")
          ? "text/html"
          : "text/plain",
    })),
    ...["large.log", "large-broken.log"].map(async (name) => ({
      path: `run/${name}`,
      blob: await blobs.write(name.padEnd(LARGE), "text/plain"),
      content_type: "text/plain",
    })),
  ]);
  await writer.complete(task, { step: "run" }, entries);
  const keyOf = (name: string) => entries.find(({ path }) => path === `run/${name}`)!.blob.key;
  const overwrite = (name: string, Body: string) =>
    store.s3.send(new PutObjectCommand({ Bucket: store.bucket, Key: keyOf(name), Body }));
  await overwrite("broken.log", "xy");
  await overwrite("large-broken.log", "short");
  await store.s3.send(new DeleteObjectCommand({ Bucket: store.bucket, Key: keyOf("gone.log") }));
  await writer.end(task);
});
afterAll(() => Promise.all([table.close(), store.close()]));

const read = (path: string, if_none_match?: string, tenant = TENANT) =>
  readArtifact({ tenant, task_id: task.task_id, path, if_none_match }, ports);

describe("reading an artifact", () => {
  it("gives its bytes with a type, a name and a tag, never as part of this origin", async () => {
    const { status, body, headers } = await read("run/report.json");
    expect([status, String(body)]).toEqual([200, "{}"]);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-disposition": 'inline; filename="report.json"',
      "content-security-policy": "sandbox; default-src 'none'",
    });
    expect((await read("run/page.html")).headers?.["content-disposition"]).toBe(
      'attachment; filename="page.html"',
    );
  });

  it("answers 304 to who has it, for its own files too, and 200 to who has another", async () => {
    for (const path of ["run/report.json", "task.json", "run/large.log"]) {
      const tag = (await read("run/report.json")).headers?.etag ?? "";
      const own = (await read(path)).headers?.etag ?? tag;
      for (const known of [own, `"x", W/${own}`, "*"]) {
        if (path === "run/large.log" && known !== "*") continue; // a redirect carries no tag
        expect(await read(path, known)).toMatchObject({ status: 304, headers: { etag: expect.any(String) } });
      }
      expect((await read(path, '"x"')).status).not.toBe(304);
    }
  });

  it("unescapes a path once", async () => {
    expect((await read("run%2Freport%2Ejson")).status).toBe(200);
    await expect(read("run%252Freport.json")).rejects.toMatchObject({ status: 404 });
  });

  it.each([
    "../../other/task.json",
    "run/../task.json",
    "run/./report.json",
    "/run/report.json",
    "run//report.json",
    "%2e%2e/%2e%2e/blobs",
    "run/report.json%00",
    "run/%E0%A4%A",
    "run/a b",
    "run/a%20b",
    "",
    "run/report.json/",
    "RUN/report.json",
  ])("knows no %j", async (path) => {
    await expect(read(path)).rejects.toMatchObject({ status: 404, code: "ARTIFACT_NOT_FOUND" });
  });

  it("is another tenant's 404", async () => {
    await expect(read("run/report.json", undefined, "other")).rejects.toMatchObject({ status: 404 });
  });

  it("never gives bytes that are not those of its checksum, nor a link to such", async () => {
    for (const path of ["run/broken.log", "run/large-broken.log"]) {
      await expect(read(path)).rejects.toMatchObject({ status: 500, code: "ARTIFACT_CORRUPT" });
    }
    await expect(read("run/gone.log")).rejects.toMatchObject({ status: 410, code: "ARTIFACT_GONE" });
  });

  it("leads to S3 for a large one, under its name and type", async () => {
    const { status, headers } = await read("run/large.log");
    expect([status, headers?.["cache-control"]]).toEqual([302, "no-store"]);
    const url = new URL(headers?.location ?? "");
    expect(url.searchParams.get("response-content-disposition")).toBe('inline; filename="large.log"');
    const bytes = await (await fetch(url)).arrayBuffer();
    expect(bytes.byteLength).toBe(LARGE);
  });
});
