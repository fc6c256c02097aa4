import { execFile } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AuditList } from "#schemas/http/audit-list.ts";
import { KeyList, NewKey } from "#schemas/http/keys.ts";
import type { ReplayView } from "#schemas/http/replays.ts";
import { Problem } from "#schemas/http/task-view.ts";
import { DeliveryList } from "#schemas/http/webhooks.ts";
import { Scope } from "#schemas/records/api-key.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { webhookReceiver } from "#test/fakes/webhook-receiver.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient, queues, table, tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";
import { type DeclaredRoute, declaredRoutes, listedIds, ownedPath } from "./routes.ts";

/** Open to a plain curl from loopback, on the local stage only. */
const LOOPBACK_ROUTES = ["GET /api/metrics/summary", "GET /api/artifacts/index"];
const FAILURES_MAX = 5000;

const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const file = join(configs, "authentication.json");
const shipped = JSON.parse(readFileSync(file, "utf8"));
writeFileSync(file, JSON.stringify({ ...shipped, failures_max: FAILURES_MAX }));

const routes = declaredRoutes();
const closed = routes.filter(({ is_public }) => !is_public);

let stack: Stack;
let owner: ApiClient;
let intruder: ApiClient;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
let refused: Record<string, string | undefined>;
const scoped = new Map<Scope, ApiClient>();

beforeAll(async () => {
  stack = await startStack({ env: { CONFIG_DIRECTORY: configs } });
  owner = developmentClient(stack.url, stack.data_dir);
  intruder = await client("intruder");
  for (const scope of Scope.options) scoped.set(scope, await client("intruder", { scopes: [scope] }));
  receiver = await webhookReceiver();
  await owner.request("POST", "/api/webhooks", { name: "test", url: receiver.url });
  const { task_id } = await owner.submit({ workflow: "run", source: tinySource(true), command: "true" });
  await owner.ended(task_id);
  await delivered();
  await failedAndReplayed();
  const revoked = await client("intruder");
  const expired = await client("intruder", { valid_until: "2020-01-01T00:00:00.000Z" });
  const [key_id] = await listedIds("/api/keys", revoked);
  await intruder.request("POST", `/api/keys/${idOf(revoked.key)}/revoke`);
  expect(key_id).toBeDefined();
  refused = {
    "no key": undefined,
    "an empty header": "",
    "another scheme": `Basic ${Buffer.from("a:b").toString("base64")}`,
    "no credential after the scheme": "Bearer",
    "a malformed key": "Bearer dak_nonsense",
    "a key with a wrong checksum": `Bearer ${flipLast(owner.key)}`,
    "a key of an older version": `Bearer dak_${"0".repeat(16)}_${"0".repeat(64)}`,
    "a token signed by nobody": `Bearer ${base64({ alg: "none" })}.${base64({ iss: "x", sub: "y" })}.`,
    "an unknown key": `Bearer ${(await unknownKey()).key}`,
    "a revoked key": `Bearer ${revoked.key}`,
    "an expired key": `Bearer ${expired.key}`,
  };
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.close();
  rmSync(stack?.data_dir, { recursive: true, force: true });
});

/** Nothing moves any more when a refused request is looked for in the table. */
async function delivered(): Promise<void> {
  await vi.waitUntil(
    async () => {
      const { body } = await owner.request("GET", "/api/deliveries?state=delivered");
      return DeliveryList.parse(body).deliveries.length > 0;
    },
    { timeout: 60_000, interval: 100 },
  );
}

/** A failure that every operator tenant sees, and a replay job that has ended. */
async function failedAndReplayed(): Promise<void> {
  const { sqs, queueUrl } = queues(stack.data_dir);
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl("codegen"), MessageBody: "poison" }));
  const patience = { timeout: 60_000, interval: 200 };
  await vi.waitUntil(async () => (await listedIds("/api/dlq/failures", owner)).length > 0, patience);
  const job = { selection: { filter: { code: "NATIVE_REDRIVE" } } };
  const { body: created } = await owner.request<ReplayView>("POST", "/api/dlq/replays", job);
  const path = `/api/dlq/replays/${created.replay_id}`;
  const ended = async () => (await owner.request<ReplayView>("GET", path)).body.state === "completed";
  await vi.waitUntil(ended, patience);
  sqs.destroy();
}

const client = (tenant: string, wish: Parameters<typeof tenantClient>[3] = {}) =>
  tenantClient(stack.url, stack.data_dir, tenant, wish);
const idOf = (key: string) => key.split("_")[1] ?? "";
const flipLast = (key: string) => key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Well-formed, with a good checksum, and in no table. */
async function unknownKey() {
  const { formatApiKey } = await import("#lib/http/auth/api-key.ts");
  return { key: formatApiKey({ key_id: "f".repeat(16), secret: "e".repeat(48) }) };
}

/** The whole table but counters, which any request may move, and what the clock writes. */
async function state(): Promise<string> {
  const { table: client, table_name } = table(stack.data_dir);
  const found = await client.send(new ScanCommand({ TableName: table_name, ConsistentRead: true }));
  expect(found.LastEvaluatedKey).toBeUndefined();
  const kept = (found.Items ?? []).filter(
    ({ pk }) => !/^(METRICS|ALERT_EVALUATION|ATTEMPTS|LIMIT|DEAD_LETTER_SWEEP)/.test(pk),
  );
  const plain = kept.map(({ last_used_at: _, expires_at: _1, ...item }) => item);
  client.destroy();
  return JSON.stringify(
    plain.sort((a, b) => `${a.pk}${a.sk}`.localeCompare(`${b.pk}${b.sk}`)),
    null,
    1,
  );
}

/** By hand, for what fetch does not let one set or leave out. */
function send(
  { method, path }: { method: string; path: string },
  headers: Record<string, string | undefined>,
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const sent = httpRequest(new URL(path, stack.url), { method, headers: given as never }, (answer) => {
      let text = "";
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function problemOf(route: DeclaredRoute, path: string, authorization: string | undefined) {
  const answer = await send({ method: route.method, path }, { authorization });
  // The metrics are no JSON, and only problems are looked into here.
  const problem = Problem.safeParse(answer.text.startsWith("{") ? JSON.parse(answer.text) : undefined);
  return { ...answer, ...problem.data };
}

describe("every route of serverless.yml", () => {
  it("is tried here: there are some, and the two open ones are among them", () => {
    expect(routes.length).toBeGreaterThan(15);
    expect(routes.map(({ key }) => key)).toEqual(expect.arrayContaining(LOOPBACK_ROUTES));
  });

  it.each(closed.map((route) => [route.key, route] as const))(
    "%s refuses what is not in force",
    async (_key, route) => {
      const path = await ownedPath(route, owner);
      const before = await state();
      for (const [name, authorization] of Object.entries(refused)) {
        if (authorization === undefined && LOOPBACK_ROUTES.includes(route.key)) continue;
        const answer = await problemOf(route, path, authorization);
        expect([name, answer.status, answer.code]).toEqual([name, 401, "UNAUTHENTICATED"]);
        expect(answer.trace_id).toMatch(/^[0-9a-f]{32}$/);
        expect(answer.headers.traceparent).toContain(answer.trace_id);
        expect(answer.headers["www-authenticate"]).toMatch(/^Bearer realm=/);
        // No hint which part was wrong: all that differs is the trace.
        expect(answer.detail).toBe("send a valid API key or token as authorization: Bearer <key>");
      }
      expect(await state()).toBe(before);
    },
  );

  it.each(closed.map((route) => [route.key, route] as const))(
    "%s is for one scope only",
    async (_key, route) => {
      const path = await ownedPath(route, owner);
      const before = await state();
      const let_in: Scope[] = [];
      for (const [scope, { key }] of scoped) {
        const answer = await problemOf(route, path, `Bearer ${key}`);
        if (answer.code !== "SCOPE_MISSING") {
          let_in.push(scope);
          continue;
        }
        expect(answer.status).toBe(403);
        expect(answer.trace_id).toMatch(/^[0-9a-f]{32}$/);
        expect(answer.detail).toMatch(/^this needs the scope (submit|read|operate|admin);/);
      }
      expect(let_in).toHaveLength(1);
      const wrong = Scope.options.find((scope) => !let_in.includes(scope))!;
      const { detail } = await problemOf(route, path, `Bearer ${scoped.get(wrong)?.key}`);
      expect(detail).toContain(`scope ${let_in[0]};`);
      expect(await state()).toBe(before);
    },
  );

  it.each(closed.map((route) => [route.key, route] as const))(
    "%s shows and does another tenant nothing",
    async (_key, route) => {
      const path = await ownedPath(route, owner);
      const before = await state();
      const answer = await problemOf(route, path, `Bearer ${intruder.key}`);
      const ids = path.split("/").filter((part, index) => part !== route.path.split("/")[index]);
      const collection = path.slice(0, path.indexOf(`/${ids[0]}`));
      const shared = ids.length > 0 && (await listedIds(collection, intruder)).includes(ids[0] ?? "");
      if (ids.length > 0 && !shared) {
        // What is refused for its form is refused alike whether the id exists or not.
        const none = await problemOf(
          route,
          path.replace(ids[0] ?? "", "no-such-id"),
          `Bearer ${intruder.key}`,
        );
        const as_unknown = [none.status, none.code].join() === [answer.status, answer.code].join();
        const not_found = answer.status === 404 && answer.code?.endsWith("_NOT_FOUND");
        expect(not_found || (answer.status === 415 && as_unknown), JSON.stringify(answer)).toBe(true);
        expect(answer.trace_id).toMatch(/^[0-9a-f]{32}$/);
      }
      if (ids.length === 0) {
        const [task_id = ""] = await listedIds("/api/tasks", owner);
        expect(answer.text).not.toContain(task_id);
        expect(answer.text).not.toContain(idOf(owner.key));
      }
      expect(await state()).toBe(before);
    },
  );

  it("answers 404 with a code where there is none", async () => {
    const answer = await problemOf({ ...routes[0]!, method: "GET" }, "/api/nothing", undefined);
    expect([answer.status, answer.code]).toEqual([404, "ROUTE_UNKNOWN"]);
  });

  it.each(routes.filter(({ is_public }) => is_public).map((route) => [route.key, route] as const))(
    "%s is public",
    async (_key, route) => {
      const { status } = await send(route, {});
      expect(status).toBeLessThan(400);
    },
  );
});

describe("the two routes for a plain curl", () => {
  it.each(LOOPBACK_ROUTES)("%s answers from loopback, and from nowhere else", async (key) => {
    const [method = "", path = ""] = key.split(" ");
    for (const host of [undefined, "localhost:1", "[::1]", "127.0.0.1"]) {
      expect([host, (await send({ method, path }, { host })).status]).toEqual([host, 200]);
    }
    for (const headers of [
      { host: "agents.example" },
      { host: "127.0.0.1.agents.example" },
      { host: "localhost.agents.example:3001" },
      { "x-forwarded-for": "203.0.113.9" },
      { forwarded: "for=203.0.113.9" },
      { authorization: "Bearer dak_nonsense" },
    ]) {
      expect([headers, (await send({ method, path }, headers)).status]).toEqual([headers, 401]);
    }
  });
});

describe("what a caller writes himself", () => {
  it("is not taken for the authorizer's word", async () => {
    const context = {
      verdict: "identity",
      tenant: "local",
      subject: "key:0",
      scopes: "admin",
      valid_until: "",
    };
    const forged = JSON.stringify({ lambda: context });
    for (const authorization of [undefined, "Bearer x"]) {
      const headers = { authorization, "sls-offline-authorizer-override": forged };
      expect((await send({ method: "GET", path: "/api/keys" }, headers)).status).toBe(401);
    }
  });
});

describe("a key's life over the API", () => {
  it("is made with a name, shown once, rotated with overlap, revoked, and told in the trail", async () => {
    const admin = await client("acme");
    const made = await admin.request("POST", "/api/keys", { name: "ci", scopes: ["read"] });
    expect(made.status).toBe(201);
    const { key, key_id, state: made_state } = NewKey.parse(made.body);
    expect([key.split("_")[1], made_state]).toEqual([key_id, "active"]);
    const works = async (text: string) =>
      (await send({ method: "GET", path: "/api/tasks" }, { authorization: `Bearer ${text}` })).status;
    expect(await works(key)).toBe(200);

    const rotated = NewKey.parse((await admin.request("POST", `/api/keys/${key_id}/rotate`)).body);
    expect(rotated).toMatchObject({ name: "ci", scopes: ["read"], replaces: key_id });
    expect([await works(key), await works(rotated.key)]).toEqual([200, 200]);
    const again = await admin.request<Problem>("POST", `/api/keys/${key_id}/rotate`);
    expect([again.status, again.body.code]).toEqual([409, "KEY_NOT_ACTIVE"]);

    const now = NewKey.parse(
      (await admin.request("POST", `/api/keys/${rotated.key_id}/rotate?grace_hours=0`)).body,
    );
    await vi.waitUntil(async () => (await works(rotated.key)) === 401, { timeout: 30_000, interval: 100 });
    expect(await works(now.key)).toBe(200);

    expect((await admin.request("POST", `/api/keys/${now.key_id}/revoke`)).status).toBe(200);
    await vi.waitUntil(async () => (await works(now.key)) === 401, { timeout: 30_000, interval: 100 });

    const { body } = await admin.request("GET", "/api/keys");
    const states = new Map(KeyList.parse(body).keys.map((one) => [one.key_id, one.state]));
    expect([key_id, rotated.key_id, now.key_id].map((id) => states.get(id))).toEqual([
      "rotated",
      "expired",
      "revoked",
    ]);
    expect(JSON.stringify(body)).not.toContain("secret");

    const trail = AuditList.parse((await admin.request("GET", "/api/audit?limit=100")).body).entries;
    expect(trail.map(({ action, target }) => [action, target])).toEqual([
      ["key.revoke", now.key_id],
      ["key.rotate", rotated.key_id],
      ["key.rotate", key_id],
      ["key.create", key_id],
    ]);
    for (const entry of trail) {
      expect(entry).toMatchObject({ subject: `key:${idOf(admin.key)}`, outcome: "ordered", tenant: "acme" });
    }
    expect(JSON.stringify(trail)).not.toContain(key.split("_")[2]);
  });

  it.each([
    [{ name: "x", scopes: [] }, 422, "BODY_INVALID"],
    [{ name: "x", scopes: ["read", "read"] }, 422, "BODY_INVALID"],
    [{ name: "x", scopes: ["root"] }, 422, "BODY_INVALID"],
    [{ name: "", scopes: ["read"] }, 422, "BODY_INVALID"],
    [{ name: "x", scopes: ["read"], tenant: "local" }, 422, "BODY_INVALID"],
    [{ name: "x", scopes: ["read"], expires_in_days: 3650 }, 422, "KEY_TOO_LONG_LIVED"],
  ])("%j is refused", async (body, status, code) => {
    const answer = await owner.request<Problem>("POST", "/api/keys", body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

describe("the command line", () => {
  const run = promisify(execFile);

  it("makes a stage's first key, and all others with that one", async () => {
    const words = ["scripts/keys-bootstrap.ts", "--tenant", "first", "--stage", "local"];
    const { stdout } = await run(process.execPath, [...words, "--data-dir", stack.data_dir]);
    const agents = async (...given: string[]) => {
      const done = await runCli([...given, "--json"], { url: stack.url, key: stdout.trim() });
      expect(done, done.stderr).toMatchObject({ code: 0 });
      return JSON.parse(done.stdout);
    };
    const made = await agents(
      "keys",
      "create",
      "--name",
      "ci",
      "--scopes",
      "submit,read",
      "--expires",
      "30d",
    );
    expect(made).toMatchObject({ tenant: "first", scopes: ["submit", "read"], state: "active" });
    const rotated = await agents("keys", "rotate", made.key_id, "--grace", "48h");
    expect(rotated).toMatchObject({ name: "ci", replaces: made.key_id });
    expect(await agents("keys", "revoke", rotated.key_id)).toMatchObject({ state: "revoked" });
    const { keys } = await agents("keys", "list");
    expect(keys.map(({ state }: { state: string }) => state)).toEqual(["revoked", "rotated", "active"]);
    const { entries } = await agents("audit", "--action", "key", "--since", "1h");
    expect(entries.map(({ action }: { action: string }) => action)).toEqual([
      "key.revoke",
      "key.rotate",
      "key.create",
      "key.create",
    ]);
    expect(entries.at(-1).subject).toMatch(/^aws:./);
    const shown = await runCli(["keys", "list"], { url: stack.url, key: stdout.trim() });
    expect(shown.stdout).toContain(`✗ ${rotated.key_id}  revoked`);
  });

  it("says which scope is missing, and what scopes there are", async () => {
    const reader = { url: stack.url, key: scoped.get("read")?.key ?? "" };
    const refused = await runCli(["keys", "list"], reader);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("scope admin")]);
    const wrong = await runCli(["keys", "create", "--name", "x", "--scopes", "root"], reader);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("submit, read, operate, admin")]);
  });
});

describe("a token of an issuer that the policy names", () => {
  it("opens the API for its tenant and scopes as soon as the policy names it, and no longer than that", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const keys = [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }];
    const server = createServer((_request, response) => void response.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const jwks_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    const issuer = {
      issuer: "https://login.example",
      jwks_url,
      audiences: ["agents"],
      algorithms: ["ES256"],
    };
    const token = (claims: object) =>
      new SignJWT({ tenant: "local", scope: "read", ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "one" })
        .setIssuer("https://login.example")
        .setAudience("agents")
        .setSubject("ada")
        .setExpirationTime("10m");
    const ask = async (claims: object, path = "/api/tasks") => {
      const authorization = `Bearer ${await token(claims).sign(privateKey)}`;
      return problemOf({ ...routes[0]!, method: "GET" }, path, authorization);
    };
    const withIssuers = (jwt_issuers: object[]) =>
      writeFileSync(file, JSON.stringify({ ...shipped, failures_max: FAILURES_MAX, jwt_issuers }));
    const until = (status: number) =>
      vi.waitUntil(async () => (await ask({})).status === status, { timeout: 30_000, interval: 100 });
    try {
      expect(await ask({})).toMatchObject({ status: 401 });
      withIssuers([issuer]);
      await until(200);
      const [task_id = ""] = await listedIds("/api/tasks", owner);
      expect((await ask({})).text).toContain(task_id);
      expect((await ask({ tenant: "elsewhere" })).text).not.toContain(task_id);
      expect(await ask({}, "/api/keys")).toMatchObject({ status: 403, code: "SCOPE_MISSING" });
      expect(await ask({ scope: "admin" }, "/api/keys")).toMatchObject({ status: 200 });
      expect(await ask({ tenant: "No Such" })).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
      withIssuers([]);
      await until(401);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("an address that fails too often", () => {
  it("is answered 429 with Retry-After, while good keys pass; a change of the limit is in the trail", async () => {
    writeFileSync(file, JSON.stringify({ ...shipped, failures_max: 3, failures_window_seconds: 3600 }));
    const limited = await vi.waitUntil(
      async () => {
        const answer = await send({ method: "GET", path: "/api/tasks" }, { authorization: "Bearer dak_x" });
        return answer.status === 429 ? answer : undefined;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(Problem.parse(JSON.parse(limited.text)).code).toBe("ATTEMPTS_EXCEEDED");
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
    expect((await owner.request("GET", "/api/tasks")).status).toBe(200);
    const trail = await owner.request("GET", "/api/audit?trail=platform&action=config");
    const [newest] = AuditList.parse(trail.body).entries;
    expect(newest).toMatchObject({ action: "config.change", target: "authentication.json", outcome: "seen" });
  });
});
