import { randomInt } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { DIRECTORY_PREFIX } from "#lib/platform/processes/worker-mark.ts";
import { listProcesses } from "#lib/sandbox/process/process-table.ts";
import { BuildTestReport } from "#schemas/artifacts/build-test-report.ts";
import { RunReport } from "#schemas/artifacts/run-report.ts";
import type { SandboxLimitsConfig, SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import type { Problem } from "#schemas/http/task-view.ts";
import { configsDirectory } from "#test/fakes/configs-directory.ts";
import { type NpmRegistry, startNpmRegistry } from "#test/fakes/npm-registry.ts";
import { needing } from "#test/needing.ts";
import { tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

/** The certificate's other name: an address, so that no name server is needed. */
const REGISTRY = "127.0.0.2";
const PATIENCE = { timeout: 60_000, interval: 50 };
/** Longer than any test lasts: whatever is noticed sooner was not noticed by a renewal. */
const LEASE_SECONDS = "600";

const with_bubblewrap = await needing("bubblewrap");
const configs = configsDirectory();
const limits_file = join(configs.directory, "sandbox_limits.json");
const limits: SandboxLimitsConfig = JSON.parse(readFileSync(limits_file, "utf8"));

let registry: NpmRegistry;

function writeProfile(name: string, changes: Partial<SandboxProfile>): void {
  const trusted = limits.profiles.trusted as SandboxProfile;
  limits.profiles[name] = { ...trusted, ...changes };
  writeFileSync(limits_file, JSON.stringify(limits));
}

afterAll(() => {
  registry?.close();
  configs.remove();
});
const { stack, api } = testStack(async () => {
  registry = await startNpmRegistry(REGISTRY);
  writeProfile("fetching", {
    isolation_minimum: "full",
    install_network: {
      ...{ mode: "allow", hosts: [], npm_registry: false, bytes_max: 1e7, connections_max: 32 },
      private_hosts: { [`${REGISTRY}:${registry.port}`]: ["127.0.0.2/32"] },
    },
    environment: {
      ...(limits.profiles.trusted as SandboxProfile).environment,
      npm_config_cafile: "/workspace/registry.crt",
      npm_config_fetch_retries: "0",
    },
  });
  return { env: { CONFIG_DIRECTORY: configs.directory, LEASE_SECONDS } };
});

async function report(task_id: string): Promise<BuildTestReport> {
  return BuildTestReport.parse(
    JSON.parse((await api.artifact(task_id, "build-test/report.json")).toString()),
  );
}

/** Processes with these words in their command line. */
function running(words: string): number[] {
  return (listProcesses() ?? []).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").includes(words);
    } catch {
      return false; // it has ended
    }
  });
}

describe("canceling a task", () => {
  const kills = (profile: string) => async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith(DIRECTORY_PREFIX));
    const sleeping = `sleep ${randomInt(1e8, 1e9)}`;
    const command = `trap '' TERM; ${sleeping} & setsid ${sleeping} & ${sleeping}`;
    const source = tinySource(true);
    const { task_id } = await api.submit({ workflow: "run", source, command, profile });
    await vi.waitUntil(() => running(sleeping).length >= 3, PATIENCE);
    const canceled_at = Date.now();
    expect((await api.request("POST", `/api/tasks/${task_id}/cancel`)).status).toBe(202);
    await vi.waitUntil(() => running(sleeping).length === 0, PATIENCE);
    console.log(`${profile}: nothing was running ${Date.now() - canceled_at} ms after the request`);
    expect(await api.ended(task_id)).toMatchObject({ status: "canceled" });
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith(DIRECTORY_PREFIX));
    await vi.waitUntil(() => left().every((name) => before.includes(name)), PATIENCE);
  };
  it("kills the command that is running, at once, under profile trusted", kills("trusted"));
  with_bubblewrap.it("kills the command that is running, at once, under profile standard", kills("standard"));
});

describe("the profiles a tenant may use", () => {
  it("are those its route policy names, from the next request on", async () => {
    const acme = await tenantClient(stack.url, stack.data_dir, "acme");
    const ask = (profile: string) =>
      acme.request<Problem>("POST", "/api/tasks", {
        ...{ workflow: "run", source: tinySource(true), command: "true", profile },
      });
    expect((await ask("trusted")).status).toBe(202);
    const routes = { "POST /api/tasks": { profiles: ["small"] } };
    configs.writePolicies({ ...configs.shipped, tenants: { acme: { routes } } });
    const refused = await vi.waitUntil(async () => {
      const answer = await ask("trusted");
      return answer.status === 403 && answer;
    }, PATIENCE);
    expect(refused.body).toMatchObject({ code: "PROFILE_NOT_ALLOWED" });
    expect(refused.body.detail).toContain("small");
    expect((await ask("standard")).status).toBe(403);
    expect((await ask("small")).status).toBe(202);
    const run = { workflow: "run", source: tinySource(true), command: "true", profile: "trusted" };
    await api.submit(run); // another tenant's are not touched
    configs.writePolicies(configs.shipped);
  });
});

describe("a limit that is changed while the stack runs", () => {
  it("holds for the next command", async () => {
    writeProfile("short", { wall_seconds: 300 });
    const run = { workflow: "run", source: tinySource(true), command: "sleep 4", profile: "short" };
    const accepted = async () => {
      const { status, body } = await api.request<{ task_id: string }>("POST", "/api/tasks", run);
      return status === 202 && body.task_id;
    };
    const patient = await vi.waitUntil(accepted, PATIENCE);
    expect(await api.ended(patient)).toMatchObject({ verdict: "passed" });
    writeProfile("short", { wall_seconds: 1 });
    await vi.waitUntil(async () => {
      const view = await api.ended((await api.submit(run)).task_id);
      if (view.verdict === "passed") return false; // it began before the change was seen
      const text = (await api.artifact(view.task_id, "run/report.json")).toString();
      const { code, phase } = RunReport.parse(JSON.parse(text));
      expect([code, phase.limit?.limit]).toEqual(["SANDBOX_WALL_TIME", 1]);
      return true;
    }, PATIENCE);
  });
});

with_bubblewrap.describe("installing dependencies", () => {
  const submission = () => ({
    workflow: "buildtest",
    source: { kind: "inline", files: registry.project(REGISTRY) },
    profile: "fetching",
    test: "node --test --test-reporter=tap",
  });

  it("fetches what the lock file says through the proxy, and the test has no network", async () => {
    const offline = "node -e \"require('net').connect(443,'192.0.2.7').on('error',()=>process.exit(0))\"";
    const { task_id } = await api.submit({ ...submission(), install: "npm ci", build: offline });
    expect(await api.ended(task_id)).toMatchObject({ verdict: "passed" });
    const { phases, tests_passed, isolation } = await report(task_id);
    expect([isolation, tests_passed]).toEqual(["full", 1]);
    expect(phases.map(({ name, status }) => [name, status])).toEqual([
      ["install", "passed"],
      ["build", "passed"],
      ["test", "passed"],
    ]);
    const [install, build] = phases;
    expect(install?.network?.hosts).toMatchObject([{ host: REGISTRY, port: registry.port }]);
    expect(install?.usage.network_bytes).toBeGreaterThan(1000);
    expect(build?.network).toBeNull();
    expect((await api.artifact(task_id, "build-test/install.log")).toString()).toContain("added 2 packages");
  });

  it("is denied other hosts, by name in the report", async () => {
    const install = "npm ci && npm view picocolors --registry=https://packages.example:8443/";
    const { task_id } = await api.submit({ ...submission(), install });
    expect(await api.ended(task_id)).toMatchObject({ verdict: "failed" });
    const { code, reason, phases } = await report(task_id);
    expect(code).toBe("SANDBOX_NETWORK_DENIED");
    expect(reason).toContain("packages.example:8443 (not_listed)");
    expect(phases[0]?.network?.denied).toMatchObject([{ host: "packages.example", port: 8443 }]);
    expect(phases.map(({ status }) => status)).toEqual(["failed", "skipped", "skipped"]);
  });

  it("is not possible in the test, which has none", async () => {
    const asked = registry.asked.length;
    const { task_id } = await api.submit({ ...submission(), test: "npm ci && node --test" });
    expect(await api.ended(task_id)).toMatchObject({ verdict: "failed" });
    expect(registry.asked.length).toBe(asked);
  });
});
