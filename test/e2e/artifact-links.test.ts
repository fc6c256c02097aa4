import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { get, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Problem, TaskView } from "#schemas/http/task-view.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient, environmentOf, tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";

const CHANGE = {
  workflow: "change",
  source: tinySource(true),
  change: {
    kind: "patch",
    diff: "--- a/add.js\n+++ b/add.js\n@@ -1 +1 @@\n-export const add = (a, b) => a + b;\n+export const add = (a, b) => b + a;\n",
  },
};

let stack: Stack;
let api: ApiClient;
let view: TaskView;
beforeAll(async () => {
  stack = await startStack();
  api = developmentClient(stack.url, stack.data_dir);
  const hostile = "printf '<script>alert(1)</script>\\n'; printf '\\357\\273\\277<html>'";
  const submission = { workflow: "buildtest", source: tinySource(true), test: `${hostile}; node --test` };
  const { task_id } = await api.ended((await api.submit(submission)).task_id);
  view = await linksOf(task_id);
});
afterAll(async () => {
  await stack?.stop();
  rmSync(stack?.data_dir, { recursive: true, force: true });
});

async function linksOf(task_id: string): Promise<TaskView> {
  return TaskView.parse((await api.request("GET", `/api/tasks/${task_id}?links=true`)).body);
}

/** What a browser sends when a person pastes an address: no key, no page behind it. */
const PASTED = {
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-user": "?1",
  "upgrade-insecure-requests": "1",
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
};

/** By hand: fetch adds headers of its own, and checks some. */
function open(
  url: string,
  headers: Record<string, string> = PASTED,
): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(parts) }),
      );
      answer.on("error", reject);
    }).on("error", reject);
  });
}

const linkTo = (path: string, of = view) =>
  of.artifacts.find((artifact) => artifact.path === path)?.url ?? "";

describe("a link to an artifact", () => {
  it("opens every artifact of an ended task in a browser, without a key, with the bytes of its checksum", async () => {
    expect(view.artifacts.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["build-test/test.log", "build-test/report.json", "task.json", "events.jsonl"]),
    );
    expect(view.links?.expires_seconds).toBe(300);
    const without = new Set(view.links?.missing.map(({ path }) => path));
    expect([...without].filter((path) => !path.endsWith(".meta.json"))).toEqual([]);
    for (const { path, url = "", sha256, bytes } of view.artifacts.filter((one) => !without.has(one.path))) {
      const answer = await open(url);
      expect([path, answer.status, answer.bytes.length]).toEqual([path, 200, bytes]);
      expect(createHash("sha256").update(answer.bytes).digest("hex")).toBe(sha256);
    }
  });

  it("shows text as plain text, whatever is in it", async () => {
    const { headers, bytes } = await open(linkTo("build-test/test.log"));
    expect(bytes.toString()).toContain("<script>");
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(headers["content-disposition"]).toBe('inline; filename="test.log"');
    expect((await open(linkTo("task.json"))).headers["content-type"]).toBe("application/json");
    expect((await open(linkTo("events.jsonl"))).headers["content-type"]).toBe("text/plain; charset=utf-8");
  });

  it("opens the diff of a change as text", async () => {
    const { task_id } = await api.ended((await api.submit({ ...CHANGE, test: "true" })).task_id);
    const { headers, bytes } = await open(linkTo("codegen/diff.patch", await linksOf(task_id)));
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(bytes.toString()).toContain("+export const add = (a, b) => b + a;");
  });

  it("opens no other type, name or object than it was made for, and needs its signature", async () => {
    const link = linkTo("build-test/test.log");
    const html = link.replace(/response-content-type=[^&]*/, "response-content-type=text%2Fhtml");
    const other = new URL(link);
    other.pathname = new URL(linkTo("task.json")).pathname;
    const forged = link.replace(/(X-Amz-Signature=).{8}/, "$100000000");
    expect(html).not.toBe(link);
    for (const url of [html, other.href, forged]) expect((await open(url)).status).toBe(403);
  });

  it("is answered to no page but by following it from a page of this machine", async () => {
    const link = linkTo("build-test/test.log");
    const followed = { ...PASTED, "sec-fetch-site": "same-site" };
    expect((await open(link, followed)).status).toBe(200);
    const by_pages: Record<string, string>[] = [
      { ...PASTED, "sec-fetch-site": "cross-site" },
      { ...PASTED, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
      { ...followed, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      { ...followed, "sec-fetch-dest": "iframe" },
      { ...followed, origin: "http://evil.example" },
      { origin: "null" },
    ];
    for (const headers of by_pages) {
      const answer = await open(link, headers);
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(JSON.parse(answer.bytes.toString()).code).toBe("FOREIGN_REQUEST");
    }
    // A signature on what is no object excuses nothing.
    const { AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL_DYNAMODB } = environmentOf(stack.data_dir);
    for (const endpoint of [AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL_DYNAMODB]) {
      const url = `${endpoint}/?Action=ListQueues&X-Amz-Signature=x`;
      expect((await open(url, followed)).status).toBe(403);
      expect((await open(url, { ...PASTED, "sec-fetch-site": "cross-site" })).status).toBe(403);
    }
  });

  it("is had by the tenant alone, and only when asked for", async () => {
    const plain = await api.request<TaskView>("GET", `/api/tasks/${view.task_id}`);
    expect(plain.body.links).toBeUndefined();
    expect(plain.body.artifacts.every((artifact) => !("url" in artifact))).toBe(true);
    const other = await tenantClient(stack.url, stack.data_dir, "other");
    const refused = await other.request("GET", `/api/tasks/${view.task_id}?links=true`);
    expect([refused.status, Problem.parse(refused.body).code]).toEqual([404, "TASK_NOT_FOUND"]);
    const keyless = await fetch(`${stack.url}/api/tasks/${view.task_id}?links=true`);
    expect(keyless.status).toBe(401);
  });

  it("is there while the task runs for the files of its ended steps; task.json says that it has none yet", async () => {
    const LARGE = "codegen/diff.patch";
    const noise = randomBytes(40_000).toString("hex").replace(/.{80}/g, "+// $&\n");
    const diff = `${CHANGE.change.diff}--- /dev/null\n+++ b/noise.js\n@@ -0,0 +1,1000 @@\n${noise}`;
    const { task_id } = await api.submit({
      ...CHANGE,
      change: { kind: "patch", diff },
      test: "sleep 300",
    });
    const running = await vi.waitUntil(
      async () => {
        const now = await linksOf(task_id);
        return linkTo(LARGE, now) === "" ? undefined : now;
      },
      { timeout: 120_000, interval: 200 },
    );
    expect((await open(linkTo(LARGE, running))).bytes.toString()).toContain(
      "export const add = (a, b) => b + a;",
    );
    expect(running.links?.missing.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["codegen/metrics.json", "task.json", "events.jsonl"]),
    );
    const cli = (...words: string[]) =>
      runCli(["artifacts", task_id, ...words], { url: stack.url, key: api.key });
    const listed = await cli("--links");
    expect(listed.stdout).toContain("there is no link to task.json yet");
    const one = await cli(LARGE, "--links");
    expect((await open(one.stdout.trim())).status).toBe(200);
    expect(await cli("task.json", "--links")).toMatchObject({ code: 2, stdout: "" });
    await api.request("POST", `/api/tasks/${task_id}/cancel`);
    await api.ended(task_id);
    expect((await open((await cli("task.json", "--links")).stdout.trim())).status).toBe(200);
  });
});
