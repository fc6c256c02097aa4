import { createHash } from "node:crypto";
import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { Problem, UploadGrant } from "#schemas/http/task-view.ts";
import { rawArchive } from "#test/fakes/tar-archive.ts";
import { queues } from "./client.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const { stack, api } = testStack();

const good = { workflow: "buildtest", source: tinySource(true), test: "node --test" };

async function upload(bytes: Buffer): Promise<string> {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const { status, body } = await api.request("POST", "/api/uploads", { sha256, bytes: bytes.byteLength });
  expect(status).toBe(201);
  const grant = UploadGrant.parse(body);
  const sent = await fetch(grant.url, {
    method: grant.method,
    headers: grant.headers,
    body: new Uint8Array(bytes),
  });
  expect(sent.status, await sent.text()).toBe(200);
  return grant.upload_id;
}

describe("bad input is refused at the gateway with a stable code", () => {
  const change = (value: unknown) => ({ ...good, workflow: "change", change: value });
  it.each([
    ["an unknown workflow", { ...good, workflow: "nope" }, "WORKFLOW_UNKNOWN"],
    ["a missing command", { ...good, test: undefined }, "FIELD_REQUIRED"],
    ["a command beside tests", { ...good, command: "ls" }, "FIELD_UNUSED"],
    [
      "tests of a command",
      { ...good, workflow: "run", test: undefined, command: "ls", require_tests: true },
      "FIELD_UNUSED",
    ],
    [
      "a change of a source that is only tested",
      { ...change({ kind: "patch", diff: "x" }), workflow: "buildtest" },
      "FIELD_UNUSED",
    ],
    ["an unknown profile", { ...good, profile: "enormous" }, "PROFILE_UNKNOWN"],
    ["wrong types", { ...good, test: 7 }, "BODY_INVALID"],
    ["unknown fields", { ...good, colour: "red" }, "BODY_INVALID"],
    ["a malformed diff", change({ kind: "patch", diff: "this is no diff" }), "DIFF_MALFORMED"],
    ["a prompt without a model", change({ kind: "prompt", text: "make it better" }), "MODEL_NOT_CONFIGURED"],
    [
      "an inline path out of the tree",
      { ...good, source: { kind: "inline", files: { "../x": "1" } } },
      "SOURCE_PATH_UNSAFE",
    ],
    [
      "an upload nobody sent",
      { ...good, source: { kind: "upload", upload_id: "0".repeat(64) } },
      "UPLOAD_NOT_FOUND",
    ],
    ["a git source over ssh", { ...good, source: { kind: "git", url: "ssh://x/y" } }, "BODY_INVALID"],
    [
      "a password in a git URL",
      { ...good, source: { kind: "git", url: "https://user:secret@example.org/a" } },
      "GIT_URL_INVALID",
    ],
    [
      "an option in place of a git ref",
      { ...good, source: { kind: "git", url: "https://example.org/a", ref: "--upload-pack=x" } },
      "GIT_REF_INVALID",
    ],
    ["NUL in the test command", { ...good, test: "true\0rm" }, "BODY_INVALID"],
    ["NUL in the command", { ...good, workflow: "run", command: "ls\0" }, "BODY_INVALID"],
    ["NUL in the build command", { ...good, build: "\0" }, "BODY_INVALID"],
    ["an escape in the install command", { ...good, install: "npm ci\u001b[2J" }, "BODY_INVALID"],
    ["a carriage return in a command", { ...good, test: "true\r\n" }, "BODY_INVALID"],
    ["a C1 control in a command", { ...good, test: "true\u009b" }, "BODY_INVALID"],
    ["a command of 4,097 characters", { ...good, test: "x".repeat(4097) }, "BODY_INVALID"],
    ["NUL in a prompt", change({ kind: "prompt", text: "a\0b" }), "BODY_INVALID"],
    ["NUL in a workflow's name", { ...good, workflow: "run\0" }, "BODY_INVALID"],
    [
      "NUL in a git ref",
      { ...good, source: { kind: "git", url: "https://example.org/a", ref: "main\0" } },
      "BODY_INVALID",
    ],
    [
      "a control character in a git URL",
      { ...good, source: { kind: "git", url: "https://example.org/a\u0001" } },
      "BODY_INVALID",
    ],
    [
      "a control character in a path",
      { ...good, source: { kind: "inline", files: { "a\u0001b": "1" } } },
      "SOURCE_PATH_UNSAFE",
    ],
    [
      "half a character in a file",
      { ...good, source: { kind: "inline", files: { a: "\ud800" } } },
      "BODY_NOT_UNICODE",
    ],
    ["1 MB of junk", "x".repeat(1_000_000), "BODY_NOT_JSON"],
    ["1 MB of open braces", "{".repeat(1_000_000), "BODY_TOO_COMPLEX"],
  ])("%s", async (_name, body, code) => {
    const problem = Problem.parse(await api.refused(body));
    expect(problem.code).toBe(code);
    expect(problem.status).toBeGreaterThanOrEqual(400);
  });

  it("uploads of 0 bytes and beyond the limit", async () => {
    const sha256 = "0".repeat(64);
    const empty = await api.request<Problem>("POST", "/api/uploads", { sha256, bytes: 0 });
    expect([empty.status, empty.body.code]).toEqual([422, "BODY_INVALID"]);
    const huge = await api.request<Problem>("POST", "/api/uploads", { sha256, bytes: 1e9 });
    expect([huge.status, huge.body.code]).toEqual([413, "ARCHIVE_TOO_LARGE"]);
  });

  it("requests without a key, and routes that do not exist", async () => {
    const anonymous = await fetch(`${stack.url}/api/tasks`);
    expect([anonymous.status, Problem.parse(await anonymous.json()).code]).toEqual([401, "UNAUTHENTICATED"]);
    const unknown = await fetch(`${stack.url}/api/nothing`);
    expect([unknown.status, Problem.parse(await unknown.json()).code]).toEqual([404, "ROUTE_UNKNOWN"]);
  });
});

describe("bad archives end their task failed with a stable code", () => {
  const link = { path: "out", type: "2", linkpath: "../../../etc/passwd" };
  it.each([
    ["a link that leaves the tree", () => rawArchive(link), "ARCHIVE_UNSAFE_LINK"],
    ["bytes that are no archive", () => Buffer.from("not a tarball at all"), "ARCHIVE_CORRUPT"],
  ])("%s", async (_name, bytes, code) => {
    const source = { kind: "upload", upload_id: await upload(bytes()) };
    const { task_id } = await api.submit({ ...good, source });
    expect(await api.ended(task_id)).toMatchObject({ status: "failed", error: { code } });
  });
});

describe("repeats", () => {
  it("with the same Idempotency-Key answer the same task", async () => {
    const headers = { "Idempotency-Key": "once" };
    const first = await api.submit(good, headers);
    const again = await Promise.all(Array.from({ length: 5 }, () => api.submit(good, headers)));
    expect(new Set([first, ...again].map(({ task_id }) => task_id)).size).toBe(1);
    const other = await api.request<Problem>("POST", "/api/tasks", { ...good, build: "true" }, headers);
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    await api.ended(first.task_id);
  });
});

describe("canceling", () => {
  it("stops a running step at once and ends the task", async () => {
    const { task_id } = await api.submit({ workflow: "run", source: tinySource(true), command: "sleep 300" });
    const { status } = await api.request("POST", `/api/tasks/${task_id}/cancel`);
    expect(status).toBe(202);
    expect(await api.ended(task_id)).toMatchObject({ status: "canceled" });
    const again = await api.request<Problem>("POST", `/api/tasks/${task_id}/cancel`);
    expect([again.status, again.body.code]).toEqual([409, "TASK_ENDED"]);
  });

  it("is done by the deadline too", async () => {
    const { task_id } = await api.submit({
      workflow: "run",
      source: tinySource(true),
      command: "sleep 300",
      deadline_seconds: 3,
    });
    expect(await api.ended(task_id)).toMatchObject({
      status: "failed",
      error: { code: "DEADLINE_EXCEEDED" },
    });
  });
});

describe("a poison message", () => {
  it("ends in its DLQ with its code and holds nobody up", async () => {
    const { sqs, queueUrl, deadLetterQueueUrl } = queues(stack.data_dir);
    const body = '{"poison":true}';
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl("buildtest"), MessageBody: body }));
    const { task_id } = await api.submit(good);
    expect((await api.ended(task_id)).verdict).toBe("passed");
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: deadLetterQueueUrl("buildtest"),
        WaitTimeSeconds: 20,
        MessageAttributeNames: ["All"],
      }),
    );
    expect(Messages?.[0]?.Body).toBe(body);
    expect(Messages?.[0]?.MessageAttributes?.code?.StringValue).toBe("ENVELOPE_INVALID");
    sqs.destroy();
  });
});
