import type { Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defineApi } from "#lib/http/api/define-api.ts";
import { listAudit } from "#lib/http/audit/list-audit.ts";
import { recordAudit, withAudit } from "#lib/http/audit/record-audit.ts";
import { issueApiKey } from "#lib/http/auth/api-key.ts";
import { changeKey, readKey } from "#lib/http/auth/key-store.ts";
import type { HttpPlatform } from "#lib/http/platform.ts";
import { requestGate } from "#lib/http/policy/admit-request.ts";
import { route } from "#lib/http/route.ts";
import { countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { AUDIT_ENTRY } from "#lib/platform/table/items.ts";
import { partitionOf } from "#lib/platform/table/keys.ts";
import { AUTHENTICATION } from "#test/fakes/key-world.ts";
import { realTable } from "#test/fakes/real-table.ts";
import type { Administrator } from "../../functions/gateway/administrator.ts";
import { createKey, listKeys, revokeKey, rotateKey } from "../../functions/gateway/keys.ts";

let world: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  world = await realTable();
});
afterAll(() => world.close());

const PEPPER = "p".repeat(32);
const lines: string[] = [];
const note = (code: string) => void lines.push(code);
const log = { info: note, warn: note, error: note, with: () => log };
const keyPorts = () => ({ ...world, runtime: systemRuntime, pepper: PEPPER });
const auditPorts = () => ({ ...world, runtime: systemRuntime, audit_days: 400 });

const LIMITS = {
  enabled: true,
  requests_per_second: 1000,
  burst_requests: 1000,
  requests_per_day_max: null,
  shards: 1,
  on_limiter_failure: "open" as const,
  body_bytes_max: 1000,
  workflows: null,
  profiles: null,
};

/** Opens the routes below; `GET /watched` asks for more than its definition does. */
function gateOf(stage: string) {
  const routes = {
    "GET /open": {},
    "GET /summary": {},
    "GET /admin": {},
    "GET /watched": { scope: "operate" as const },
  };
  const value = { $schema: "", defaults: LIMITS, routes, tenants: {}, stages: {} };
  const routePolicies = () => ({ value, hash: "0" }) as never;
  return requestGate({ ...world, routePolicies, stage, runtime: systemRuntime });
}

/** The same routes on a stage; answers what an HTTP API's caller would get. */
function api(stage: string) {
  const platform = {
    table: world.table,
    runtime: systemRuntime,
    settings: { stage, shard: "0", table_name: world.table_name, api_key_pepper: PEPPER },
    authentication: () => ({ value: AUTHENTICATION, hash: "0" }),
    requestGate: gateOf(stage),
    counts: countBuffer(systemRuntime),
    logOf: () => log,
  } as unknown as HttpPlatform;
  const show = {
    summary: "who asks",
    answers: { 200: { says: "who asks" } },
    run: async ({ identity }: { identity: unknown }) => ({ status: 200, body: identity ?? null }),
  };
  const handler = defineApi(
    "gateway",
    {
      "GET /open": route({ access: "public", ...show }),
      "GET /summary": route({ access: "key-or-local", scope: "read", ...show }),
      "GET /admin": route({ access: "key", scope: "admin", ...show }),
      "GET /watched": route({ access: "key", scope: "read", ...show }),
    },
    () => platform,
  );
  return async (
    routeKey: string,
    {
      headers = {},
      sourceIp = "127.0.0.1",
      authorizer,
    }: { headers?: Record<string, string>; sourceIp?: string; authorizer?: unknown } = {},
  ) => {
    const [method, path] = routeKey.split(" ");
    const requestContext = { http: { method, path, sourceIp }, authorizer };
    const event = { routeKey, rawPath: path, headers: { host: "localhost", ...headers }, requestContext };
    const lambda = { functionName: "f", awsRequestId: "r", getRemainingTimeInMillis: () => 10_000 };
    const answer = (await handler(event as never, lambda as unknown as Context, () => {})) as {
      statusCode: number;
      body: string;
    };
    return { status: answer.statusCode, body: JSON.parse(answer.body) };
  };
}

async function key(scopes: ("read" | "admin")[], more: object = {}): Promise<string> {
  const wish = { tenant: "acme", name: "test", scopes, created_by: "local", ...more };
  return (await issueApiKey(wish, keyPorts())).key;
}

describe("a route for a plain curl", () => {
  it("answers loopback without a key on the local stage only", async () => {
    const local = await api("local")("GET /summary");
    expect([local.status, local.body]).toMatchObject([200, { tenant: "local", scopes: ["read"] }]);
    const deployed = await api("prod")("GET /summary");
    expect([deployed.status, deployed.body.code]).toEqual([401, "UNAUTHENTICATED"]);
  });

  it.each(["203.0.113.9", "10.0.0.1", "::ffff:10.0.0.1", "", "127.0.0.1.example"])(
    "answers 401 to %s",
    async (sourceIp) => {
      expect((await api("local")("GET /summary", { sourceIp })).status).toBe(401);
    },
  );

  it.each(["::1", "::ffff:127.0.0.1", "127.1.2.3"])("answers %s", async (sourceIp) => {
    expect((await api("local")("GET /summary", { sourceIp })).status).toBe(200);
  });
});

describe("a scope named by the route's policy", () => {
  it("goes before the one in the code", async () => {
    const authorization = `Bearer ${await key(["read"])}`;
    expect((await api("local")("GET /summary", { headers: { authorization } })).status).toBe(200);
    const refused = await api("local")("GET /watched", { headers: { authorization } });
    expect(refused).toMatchObject({ status: 403, body: { code: "SCOPE_MISSING" } });
    expect(refused.body.detail).toContain("scope operate;");
  });
});

describe("a public route", () => {
  it("asks nobody who he is, and knows nobody", async () => {
    const headers = { authorization: "Bearer nonsense" };
    expect(await api("prod")("GET /open", { headers })).toEqual({ status: 200, body: null });
  });
});

describe("the authorizer's word", () => {
  const identity = {
    verdict: "identity",
    tenant: "acme",
    subject: "key:1",
    scopes: "admin",
    valid_until: "",
  };
  const headers = { authorization: "Bearer whatever" };
  const asked = (stage: string, lambda: unknown, given: Record<string, string> = headers) =>
    api(stage)("GET /admin", { headers: given, authorizer: { lambda } });

  it("is taken on a deployed stage, and never on the local one, where callers could write it", async () => {
    expect(await asked("prod", identity)).toMatchObject({ status: 200, body: { subject: "key:1" } });
    expect(await asked("local", identity)).toMatchObject({ status: 401 });
  });

  it("does not outlive the credential, nor stand for one that was not sent", async () => {
    const ended = { ...identity, valid_until: "2020-01-01T00:00:00.000Z" };
    expect(await asked("prod", ended)).toMatchObject({ status: 401 });
    expect(await asked("prod", identity, {})).toMatchObject({ status: 401 });
  });

  it("that a credential is refused is told in our words", async () => {
    const refused = await asked("prod", { verdict: "refused", reason: "revoked key 1" });
    expect([refused.status, refused.body.code]).toEqual([401, "UNAUTHENTICATED"]);
    expect(JSON.stringify(refused.body)).not.toContain("revoked");
    expect(lines).toContain("AUTHENTICATION_FAILED");
  });

  it("is made up for when there is none, or none that can be read", async () => {
    const good = { authorization: `Bearer ${await key(["admin"])}` };
    for (const word of [undefined, {}, { verdict: "identity" }, { ...identity, scopes: "root" }]) {
      expect(await asked("prod", word, good)).toMatchObject({ status: 200, body: { tenant: "acme" } });
      expect(await asked("prod", word)).toMatchObject({ status: 401 });
    }
  });
});

describe("a key's record", () => {
  it("changes for its own tenant only, and only from the state that was meant", async () => {
    const { record } = await issueApiKey(
      { tenant: "acme", name: "test", scopes: ["read"], created_by: "local" },
      keyPorts(),
    );
    const revoked = { revoked_at: new Date().toISOString(), revoked_by: "local" };
    expect(await changeKey({ ...record, tenant: "rival" }, revoked, ["revoked_at"], keyPorts())).toBe(false);
    expect((await readKey(record.key_id, keyPorts()))?.revoked_at).toBeUndefined();
    expect(await changeKey(record, revoked, ["revoked_at"], keyPorts())).toBe(true);
    // The SDK may send a write twice.
    expect(await changeKey(record, revoked, ["revoked_at"], keyPorts())).toBe(true);
    const other = { ...revoked, revoked_by: "key:1" };
    expect(await changeKey(record, other, ["revoked_at"], keyPorts())).toBe(false);
  });

  it("is not made for a tenant that cannot be", async () => {
    await expect(key(["read"], { tenant: "Acme#1" })).rejects.toThrow();
  });
});

describe("administrators at work at the same time", () => {
  const who = { tenant: "busy", subject: "key:1", trace_id: "0", source_ip: "127.0.0.1" };
  const admin: Administrator = {
    ...who,
    get ports() {
      return auditPorts();
    },
    audited: (what, action) => withAudit({ ...who, ...what }, auditPorts(), action),
  };
  const ports = (policy: object = {}) => ({
    ...keyPorts(),
    policy: { ...AUTHENTICATION, ...policy },
    log,
  });
  const list = async () => (await listKeys("busy", { limit: 100 }, keyPorts())).keys;

  it("rotate a key once: of two successors one is in force", async () => {
    const { key_id } = await createKey({ name: "one", scopes: ["read"] }, admin, ports());
    const rotations = await Promise.allSettled(
      [1, 2, 3].map(() => rotateKey({ key_id, grace_hours: undefined }, admin, ports())),
    );
    const states = (await list()).map(({ state }) => state);
    expect(rotations.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(states.filter((state) => state === "active")).toHaveLength(1);
    expect(states.filter((state) => state === "rotated")).toHaveLength(1);
  });

  it("make no more keys than a tenant may have, until one is revoked", async () => {
    const limit = { keys_per_tenant_max: 3 };
    const wish = { name: "more", scopes: ["read" as const] };
    const made = await createKey(wish, admin, ports(limit));
    await expect(createKey(wish, admin, ports(limit))).rejects.toMatchObject({
      status: 409,
      code: "KEYS_TOO_MANY",
    });
    await revokeKey(made.key_id, admin, ports());
    await createKey(wish, admin, ports(limit));
  });

  it("rotate and revoke no other tenant's key", async () => {
    const { record } = await issueApiKey(
      { tenant: "rival", name: "theirs", scopes: ["read"], created_by: "local" },
      keyPorts(),
    );
    for (const attempt of [
      () => rotateKey({ key_id: record.key_id, grace_hours: 0 }, admin, ports()),
      () => revokeKey(record.key_id, admin, ports()),
      () => revokeKey("KEY#x", admin, ports()),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ status: 404, code: "KEY_NOT_FOUND" });
    }
    expect(await readKey(record.key_id, keyPorts())).toEqual(record);
  });

  it("end a rotation's grace no later than the old key would have ended anyway", async () => {
    const { key_id, valid_until } = await createKey(
      { name: "short", scopes: ["read"], expires_in_days: 1 },
      admin,
      ports(),
    );
    const next = await rotateKey({ key_id, grace_hours: 48 }, admin, ports());
    expect((await readKey(key_id, keyPorts()))?.valid_until).toBe(valid_until);
    expect(Date.parse(next.valid_until!) - Date.now()).toBeGreaterThan(86_000_000);
    const too_long = rotateKey({ key_id: next.key_id, grace_hours: 9999 }, admin, ports());
    await expect(too_long).rejects.toMatchObject({ code: "GRACE_TOO_LONG" });
  });
});

describe("the audit trail", () => {
  const entry = { tenant: "trail", subject: "key:1", action: "key.revoke", target: "x" };

  it("keeps an entry as it was written first", async () => {
    const first = { ...entry, entry_id: "00000000000000aa", outcome: "seen" as const, target: "first" };
    await recordAudit(first, auditPorts());
    await recordAudit({ ...first, target: "second" }, auditPorts());
    const { entries } = await listAudit("trail", { limit: 10 }, keyPorts());
    expect(entries.map(({ target }) => target)).toEqual(["first"]);
    expect(partitionOf(AUDIT_ENTRY, { tenant: "trail" }).value).toBe("AUDIT#trail");
  });

  it("is written before the deed, and again when that fails", async () => {
    const seen: number[] = [];
    const count = async () =>
      (await listAudit("deeds", { limit: 10 }, keyPorts())).entries.map(({ outcome }) => outcome);
    const deed = async () => void seen.push((await count()).length);
    await withAudit({ ...entry, tenant: "deeds" }, auditPorts(), deed);
    expect(seen).toEqual([1]);
    const broken = () => Promise.reject(new Error("no such key"));
    await expect(withAudit({ ...entry, tenant: "deeds" }, auditPorts(), broken)).rejects.toThrow("no such");
    expect((await count()).sort()).toEqual(["failed", "ordered", "ordered"]);
  });

  it("keeps the deed from being done when it cannot be written", async () => {
    let done = false;
    const ports = { ...auditPorts(), table_name: "none" };
    const deed = async () => {
      done = true;
    };
    await expect(withAudit(entry, ports, deed)).rejects.toThrow();
    expect(done).toBe(false);
  });

  it("shows a tenant its own entries, filtered, page by page", async () => {
    for (let n = 0; n < 5; n += 1) {
      await recordAudit({ ...entry, tenant: "pages", target: `k${n}`, outcome: "done" }, auditPorts());
    }
    await recordAudit({ ...entry, tenant: "pages", action: "circuit.force", outcome: "done" }, auditPorts());
    const ask = (filter: object) => listAudit("pages", { limit: 2, ...filter }, keyPorts());
    const first = await ask({ action: "key" });
    const second = await ask({ action: "key", cursor: first.next_cursor });
    expect([...first.entries, ...second.entries]).toHaveLength(4);
    expect((await ask({ action: "circuit.force" })).entries).toHaveLength(1);
    expect((await listAudit("nobody", { limit: 2 }, keyPorts())).entries).toEqual([]);
  });
});
