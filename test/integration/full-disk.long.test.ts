import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TaskList, TaskView } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";

/** A file system of its own size, in a mount namespace of its own, which needs no rights where user namespaces are. */
const IN_NAMESPACE = ["--user", "--map-root-user", "--mount"];
const can_mount =
  spawnSync("unshare", [...IN_NAMESPACE, "sh", "-c", "mount -t tmpfs none /mnt"]).status === 0;
const DISK = "64m";
/** Seconds, on a machine that does much else. */
const ANSWER_MS_MAX = 30_000;

describe.skipIf(!can_mount)("a data directory on a full disk", () => {
  const directory = temporaryDirectory("full-disk");
  let stack: Stack;
  let key: string;
  /** The disk as the stack's process sees it; nobody else does. */
  const seen = (name: string) => join(`/proc/${stack.pid}/root`, directory, name);

  beforeAll(async () => {
    const mount = `mount -t tmpfs -o size=${DISK} none ${directory}; exec "$@"`;
    const within = ["unshare", ...IN_NAMESPACE, "sh", "-c", mount, "sh"];
    stack = await startStack({ data_dir: join(directory, "data"), within });
    key = JSON.parse(readFileSync(seen("data/credentials.json"), "utf8")).key;
  }, 300_000);
  afterAll(async () => {
    await stack?.stop();
  });

  async function request<Body>(method: string, path: string, body?: unknown) {
    const began = performance.now();
    const answer = await fetch(new URL(path, stack.url), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    });
    const value = (await answer.json().catch(() => undefined)) as Body;
    return { status: answer.status, body: value, elapsed_ms: performance.now() - began };
  }
  const submit = (n: number) =>
    request<TaskView>("POST", "/api/tasks", {
      workflow: "run",
      source: { kind: "inline", files: { a: `${n} ${"x".repeat(20_000)}` } },
      command: "true",
      profile: "trusted",
    });

  it("answers errors within seconds, recovers when there is space, and keeps all it had accepted", async () => {
    const accepted: string[] = [];
    const first = await submit(0);
    expect(first.status).toBe(202);
    accepted.push(first.body.task_id);

    spawnSync("sh", ["-c", `cat /dev/zero > ${seen("ballast")}`]);
    let failures = 0;
    for (let n = 1; failures < 5 && n < 2000; n += 1) {
      const answer = await submit(n);
      expect(answer.elapsed_ms).toBeLessThan(ANSWER_MS_MAX);
      if (answer.status === 202) accepted.push(answer.body.task_id);
      else failures += 1;
    }
    expect(failures).toBe(5);
    for (const path of ["/api/tasks", "/api/metrics/summary", "/docs", "/api/openapi.json"]) {
      expect((await request("GET", path)).elapsed_ms).toBeLessThan(ANSWER_MS_MAX);
    }

    // Another one, on the same disk, says so, and not that anything of it should be deleted.
    const inside = [
      "-t",
      String(stack.pid),
      "--user",
      "--mount",
      "--preserve-credentials",
      `--wd=${process.cwd()}`,
    ];
    const other = spawnSync(
      "nsenter",
      [...inside, process.execPath, "local/start.ts", "--data-dir", join(directory, "other")],
      {
        encoding: "utf8",
      },
    );
    expect(other.stderr).toMatch(
      /^The disk with \S+ is full\. Make room on it and start again; the data is whole\.\n$/,
    );

    rmSync(seen("ballast"));
    await expect.poll(async () => (await submit(-1)).status, { timeout: 120_000, interval: 500 }).toBe(202);
    for (const task_id of accepted) {
      const view = () => request<TaskView>("GET", `/api/tasks/${task_id}`);
      await expect
        .poll(async () => (await view()).body?.verdict, { timeout: 240_000, interval: 500 })
        .toBe("passed");
    }
    const list = await request<TaskList>("GET", "/api/tasks?limit=1");
    expect(list.status).toBe(200);
  }, 900_000);
});
