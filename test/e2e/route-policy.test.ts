import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import type { Problem } from "#schemas/http/task-view.ts";
import { configsDirectory } from "#test/fakes/configs-directory.ts";
import { testStack } from "./test-stack.ts";

const configs = configsDirectory();
const PATIENCE = { timeout: 60_000, interval: 50 };
afterAll(configs.remove);
const { stack, api } = testStack(() => ({ env: { CONFIG_DIRECTORY: configs.directory } }));

interface Seen {
  at: number;
  status: number;
  code?: string;
  policy: string | null;
}

/** Requests one after the other from several clients, until stopped; every answer is kept. */
function underLoad(clients: number) {
  const seen: Seen[] = [];
  let running = true;
  const ends = Array.from({ length: clients }, async () => {
    while (running) {
      const { status, headers, body } = await api.request<Problem>("GET", "/api/tasks?limit=1");
      seen.push({ at: Date.now(), status, code: body.code, policy: headers.get("ratelimit-policy") });
    }
  });
  return {
    seen,
    async stop() {
      running = false;
      await Promise.all(ends); // throws if any request got no answer
    },
  };
}

function changes(): { at: string; old_hash: string; new_hash: string; service: string; file: string }[] {
  return readFileSync(join(stack.data_dir, "stack.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes('"CONFIG_CHANGED"') && line.includes("route_policies.json"))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))));
}

it("a policy edited under load is logged and followed without a restart, and drops no request", async () => {
  const load = underLoad(4);
  await vi.waitUntil(() => load.seen.length > 40, PATIENCE);
  const local = configs.shipped.stages.local;
  const faster = { requests_per_second: 1234, burst_requests: 4936 };
  configs.writePolicies({
    ...configs.shipped,
    stages: { local: { ...local, defaults: { ...local?.defaults, ...faster } } },
  });
  const edited_at = Date.now();
  const first = await vi.waitUntil(
    () => load.seen.find(({ policy }) => policy === '"rate";q=4936;w=4'),
    PATIENCE,
  );
  const [line] = await vi.waitUntil(() => (changes().length > 0 ? changes() : undefined), PATIENCE);
  expect(line?.old_hash).not.toBe(line?.new_hash);
  const logged_at = Date.parse(line!.at);
  console.log(`log line after ${logged_at - edited_at} ms, first request after ${first.at - edited_at} ms`);

  const closed = { ...configs.shipped.routes, "GET /api/tasks": { enabled: false } };
  configs.writePolicies({ ...configs.shipped, routes: closed });
  const refused = await vi.waitUntil(() => load.seen.find(({ status }) => status === 403), PATIENCE);
  expect(refused.code).toBe("ROUTE_CLOSED");
  configs.writePolicies(configs.shipped);
  const open = () => load.seen.slice(-12).every(({ status }) => status === 200);
  await vi.waitUntil(open, PATIENCE);
  await load.stop();

  expect(load.seen.filter(({ status }) => status !== 200 && status !== 403)).toEqual([]);
  console.log(`${load.seen.length} requests, each answered`);
});

it("a policy that names a route nobody opened is refused, and the old one stays", async () => {
  configs.writePolicies({ ...configs.shipped, tenants: { acme: { routes: { "GET /api/task": {} } } } });
  const policy = await vi.waitUntil(async () => {
    const { body } = await api.request<{ policies: { file: string; state: string; reason: string }[] }>(
      "GET",
      "/api/policies",
    );
    return body.policies.find(({ file, state }) => file === "route_policies.json" && state === "rejected");
  }, PATIENCE);
  expect(policy.reason).toContain("/tenants/acme/routes names GET /api/task, which /routes does not open");
  expect((await api.request("GET", "/api/tasks")).status).toBe(200);
});
