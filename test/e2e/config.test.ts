import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Policies, type PolicyView } from "#schemas/http/policies.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const file = join(configs, "retry_policy.json");
const shipped = JSON.parse(readFileSync(file, "utf8"));
const edited = (fields: object) =>
  JSON.stringify({ ...shipped, defaults: { ...shipped.defaults, ...fields } });

const { stack, api } = testStack(() => ({ env: { CONFIG_DIRECTORY: configs } }));

async function retryPolicy(): Promise<PolicyView> {
  const { body } = await api.request("GET", "/api/policies");
  return Policies.parse(body).policies.find((policy) => policy.file === "retry_policy.json")!;
}

/** The log is written by another process than the one that answers. */
const logged = { timeout: 40_000, interval: 50 };

/** Log lines with that code, oldest first. */
function lines(code: string): { at: string; [field: string]: unknown }[] {
  return readFileSync(join(stack.data_dir, "stack.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes(`"${code}"`))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))));
}

async function counted(metric: string): Promise<number> {
  const { body } = await api.request<{ services: Record<string, Record<string, number>> }>(
    "GET",
    "/api/metrics/summary",
  );
  return Object.values(body.services).reduce((sum, metrics) => sum + (metrics[metric] ?? 0), 0);
}

/** The policy's hash that the next decision is stamped with. */
async function stamp(): Promise<unknown> {
  const { task_id } = await api.submit({ workflow: "run", source: tinySource(true), command: "true" });
  await api.ended(task_id);
  return lines("STEP_DISPATCHED").find((line) => line.task_id === task_id)?.policy_hash;
}

const patience = { timeout: 20_000, interval: 100 };

describe("an operator who edits retry_policy.json while the stack runs", () => {
  it("sees the change in force without a restart: in the API, the log and on the next decision", async () => {
    const old_hash = (await retryPolicy()).hash;
    expect(await stamp()).toBe(old_hash);
    writeFileSync(file, edited({ attempts_max: 4 }));
    const seen = await vi.waitUntil(async () => {
      const policy = await retryPolicy();
      return policy.hash === old_hash ? undefined : policy;
    }, patience);
    expect(seen).toMatchObject({ source: file, state: "in_force", last_rejected: null });
    await expect
      .poll(() => lines("CONFIG_CHANGED"), logged)
      .toMatchObject([{ old_hash, new_hash: seen.hash, source: file }]);
    expect(await stamp()).toBe(seen.hash);
    await vi.waitUntil(async () => (await counted("config_changed")) === 1, patience);
  });

  it("sees a broken change refused with its reason, and mended", async () => {
    const { hash } = await retryPolicy();
    writeFileSync(file, edited({ backoff_ms_base: 90_000 }));
    const reason = "/defaults/backoff_ms_base is 90000: backoff_ms_base must not exceed backoff_ms_max";
    const refused = await vi.waitUntil(async () => {
      const policy = await retryPolicy();
      return policy.last_rejected ? policy : undefined;
    }, patience);
    expect(refused).toMatchObject({ hash, state: "rejected", reason, last_rejected: { reason } });
    await expect
      .poll(() => lines("CONFIG_REJECTED"), logged)
      .toMatchObject([{ reason, hash: refused.last_rejected?.hash, in_force: hash }]);
    expect(await stamp()).toBe(hash);
    await vi.waitUntil(async () => (await counted("config_rejected")) === 1, patience);

    writeFileSync(file, edited({ attempts_max: 3 }));
    const mended = await vi.waitUntil(async () => {
      const policy = await retryPolicy();
      return policy.state === "in_force" ? policy : undefined;
    }, patience);
    expect(mended).toMatchObject({ last_rejected: { reason } });
    expect(mended.hash).not.toBe(hash);
    await expect.poll(() => lines("CONFIG_RECOVERED"), logged).toMatchObject([{ hash: mended.hash }]);
    expect(await stamp()).toBe(mended.hash);
  });

  it("cannot ask without a key", async () => {
    expect((await fetch(`${stack.url}/api/policies`)).status).toBe(401);
  });
});
