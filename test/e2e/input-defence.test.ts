import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenApiDocument } from "#lib/http/openapi/openapi-document.ts";
import { Problem, UploadGrant } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { table, tenantClient } from "./client.ts";
import { checkConformance } from "./conformance.ts";
import { tinySource } from "./example.ts";
import { declaredRoutes } from "./routes.ts";
import { testStack } from "./test-stack.ts";

const FRIEND = "https://console.example";

const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const file = join(configs, "route_policies.json");
const policies = JSON.parse(readFileSync(file, "utf8"));
policies.routes["GET /api/tasks"] = { cors_origins: [FRIEND] };
policies.routes["POST /api/query"].body_bytes_max = 300;
writeFileSync(file, JSON.stringify(policies));

const { stack, api } = testStack(() => ({ env: { CONFIG_DIRECTORY: configs } }));
beforeAll(async () => {
  const { task_id } = await api.submit({ workflow: "run", source: tinySource(true), command: "true" });
  await api.ended(task_id);
});

interface Sent {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** By hand, for what fetch does not let one send. */
function send(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer | string) {
  return new Promise<Sent>((resolve, reject) => {
    const { hostname, port } = new URL(stack.url);
    const sent = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      let text = "";
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
const bearer = () => ({ authorization: `Bearer ${api.key}` });
const codeOf = ({ status, text }: Sent) => [status, Problem.parse(JSON.parse(text)).code];

function expectGuarded({ headers }: Sent) {
  expect(headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": expect.stringMatching(/default-src 'none'/),
    "strict-transport-security": expect.stringContaining("max-age="),
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
  });
  expect(Object.keys(headers).filter((name) => /^(server|x-powered-by|access-control)/.test(name))).toEqual(
    [],
  );
}

describe("the API's description", () => {
  it("is served without a key, and has every route of serverless.yml and no other", async () => {
    const served = await send("GET", "/api/openapi.json");
    expect(served.status).toBe(200);
    expectGuarded(served);
    const { paths } = JSON.parse(served.text) as OpenApiDocument;
    const described = Object.values(paths).flatMap((path) =>
      Object.values(path).map((operation) => operation["x-route-key"]),
    );
    expect(described.sort()).toEqual(
      declaredRoutes()
        .map(({ key }) => key)
        .sort(),
    );
  });

  it("says on the local stage that two routes need no key", async () => {
    const { paths } = JSON.parse((await send("GET", "/api/openapi.json")).text) as OpenApiDocument;
    const open = Object.entries(paths).filter(([, path]) => path.get?.security.length === 2);
    expect(open.map(([path]) => path).sort()).toEqual(["/api/artifacts/index", "/api/metrics/summary"]);
  });

  it("is a page that runs nothing and asks nobody else", async () => {
    const page = await send("GET", "/docs");
    expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expectGuarded(page);
    expect(page.headers["content-security-policy"]).not.toContain("unsafe");
    expect(page.text).not.toMatch(/<script|<img|<link|@import|url\(|\son\w+=|style="/);
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(page.text) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(page.headers["content-security-policy"]).toContain(`'sha256-${hash}'`);
    for (const { path } of declaredRoutes()) expect(page.text).toContain(path.replace("+}", "}"));
  });
});

describe("the comparison of answers with the description", () => {
  const good = {
    type: "t",
    title: "t",
    status: 404,
    code: "TASK_NOT_FOUND",
    detail: "d",
    trace_id: "a".repeat(32),
  };
  const answer = { method: "GET", path: "/api/tasks/x", status: 404, body: good as unknown };
  const headers = new Headers({ "content-type": "application/problem+json", traceparent: "00-a-b-01" });

  it("accepts what is described, and names what is not", async () => {
    await expect(checkConformance({ ...answer, headers })).resolves.toBeUndefined();
    for (const wrong of [
      { status: 418 },
      { body: { ...good, code: "SOMETHING_ELSE" } },
      { body: { ...good, stack: "at x.ts:1" } },
      { headers: new Headers({ "content-type": "application/problem+json" }) },
      { headers: new Headers({ "content-type": "application/json", traceparent: "00-a-b-01" }) },
      { path: "/api/nothing", status: 200 },
    ]) {
      await expect(checkConformance({ ...answer, headers, ...wrong })).rejects.toThrow("GET /api/");
    }
  });
});

describe("every route", () => {
  it.each(declaredRoutes().map((route) => [route.key, route] as const))(
    "%s: unknown methods, unknown parameters, and headers on whatever is answered",
    async (_key, route) => {
      const path = route.path.replaceAll(/\{\w+\+?\}/g, "none");
      const allowed = declaredRoutes().filter((each) => each.path === route.path);
      const allow = allowed
        .map(({ method }) => method)
        .sort()
        .join(", ");
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"]) {
        if (allow.split(", ").includes(method)) continue;
        const answer = await send(method, path, bearer());
        expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, allow]);
        expectGuarded(answer);
        if (method !== "HEAD") expect(codeOf(answer)).toEqual([405, "METHOD_NOT_ALLOWED"]);
      }
      if (route.method === "GET") {
        const answer = await send("GET", `${path}?colour=red`, bearer());
        expect(codeOf(answer)).toEqual([422, "QUERY_INVALID"]);
        expectGuarded(answer);
      }
      expectGuarded(await send(route.method, path, { authorization: "Bearer nonsense" }));
      const foreign = await send(route.method, path, { origin: "https://elsewhere.example" });
      expectGuarded(foreign);
    },
  );
});

describe("a request that is not well-formed", () => {
  const json = { "content-type": "application/json" };
  const latin1 = Buffer.from('{"query":"caf\u00e9"}', "latin1");
  it.each([
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, "query=x", 415],
    ["another charset", { "content-type": "application/json; charset=latin1" }, "{}", 415],
    ["a compressed body", { ...json, "content-encoding": "gzip" }, "{}", 415],
    ["a content type that is none", { "content-type": ";;" }, "{}", 415],
    ["a key twice", json, '{"query":"a","quer\\u0079":"b"}', "BODY_KEY_REFUSED"],
    ["a key that changes prototypes", json, '{"query":"a","__proto__":{"limit":1}}', "BODY_KEY_REFUSED"],
    ["bytes that are not UTF-8", json, latin1, "BODY_NOT_UNICODE"],
    ["half a character", json, '{"query":"\\ud800"}', "BODY_NOT_UNICODE"],
    ["deep nesting", json, "[".repeat(100) + "]".repeat(100), "BODY_TOO_COMPLEX"],
    ["no JSON", json, "{'query':1}", "BODY_NOT_JSON"],
    ["no body", json, "", "BODY_NOT_JSON"],
    ["a bare false", json, "false", 422],
    ["more than its policy allows", json, JSON.stringify({ query: "x".repeat(300) }), 413],
    ["more than API Gateway takes", json, "x".repeat(11_000_000), 413],
  ] as [string, Record<string, string>, string | Buffer, number | string][])(
    "%s is refused with its code",
    async (_name, headers, body, expected) => {
      const answer = await send("POST", "/api/query", { ...bearer(), ...headers }, body);
      expectGuarded(answer);
      expect(typeof expected === "string" ? codeOf(answer) : answer.status).toEqual(
        typeof expected === "string" ? [400, expected] : expected,
      );
      Problem.parse(JSON.parse(answer.text));
    },
  );

  it.each([
    ["/api/tasks/%zz", 400, "URL_MALFORMED"],
    ["/api/tasks/%ff", 400, "URL_MALFORMED"],
    ["/api/tasks?cursor=%c3", 400, "URL_MALFORMED"],
    ["/api/tasks?limit=1&limit=2", 422, "QUERY_INVALID"],
    ["/api/tasks?__proto__=1", 422, "QUERY_INVALID"],
    ["/api/tasks?limit=0x10", 422, "QUERY_INVALID"],
    ["/api/tasks/%00", 404, "TASK_NOT_FOUND"],
    ["/api/tasks/", 404, "ROUTE_UNKNOWN"],
  ])("%s answers %i %s", async (path, status, code) => {
    const answer = await send("GET", path, bearer());
    expect(codeOf(answer)).toEqual([status, code]);
    expectGuarded(answer);
  });
});

describe("pages of other origins", () => {
  const ask = (origin: string, method = "GET") =>
    send("OPTIONS", "/api/tasks", { origin, "access-control-request-method": method });

  it("may read what the route's policy says, and nothing else", async () => {
    const preflight = await ask(FRIEND);
    expect([preflight.status, preflight.headers]).toMatchObject([
      204,
      { "access-control-allow-origin": FRIEND, "access-control-allow-methods": "GET" },
    ]);
    expect(preflight.headers["access-control-allow-headers"]).toContain("authorization");
    for (const answer of [
      await send("GET", "/api/tasks", { ...bearer(), origin: FRIEND }),
      await send("GET", "/api/tasks", { origin: FRIEND }),
    ]) {
      expect(answer.headers).toMatchObject({
        "access-control-allow-origin": FRIEND,
        vary: expect.stringContaining("origin"),
      });
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    }
    for (const answer of [
      await ask("https://elsewhere.example"),
      await ask("null"),
      await ask(`${FRIEND}.evil.example`),
      await ask(FRIEND, "POST"),
      await send("GET", "/api/tasks", { ...bearer(), origin: "https://elsewhere.example" }),
      await send("GET", "/api/metrics/summary", { origin: FRIEND }),
    ]) {
      expectGuarded(answer);
    }
  });
});

describe("a presigned upload", () => {
  const bytes = Buffer.from("the archive that was announced");
  const grant = async (client = api) => {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return UploadGrant.parse(
      (await client.request("POST", "/api/uploads", { sha256, bytes: bytes.length })).body,
    );
  };
  const put = async (url: string, headers: Record<string, string>, body: Buffer) => {
    const { "content-length": _, ...given } = headers;
    return (await fetch(url, { method: "PUT", headers: given, body: new Uint8Array(body) })).status;
  };

  it("takes what was announced, under the tenant's own prefix", async () => {
    const { url, headers } = await grant();
    expect(new URL(url).pathname).toContain("/tenants/local/");
    expect(await put(url, headers, bytes)).toBe(200);
  });

  it("refuses more bytes, other bytes, another type, another checksum, and another tenant's place", async () => {
    const { url, headers } = await grant();
    expect(await put(url, headers, Buffer.concat([bytes, bytes]))).toBe(403);
    expect(await put(url, headers, Buffer.from(bytes.toString().toUpperCase()))).toBe(400);
    expect(await put(url, { ...headers, "content-type": "text/html" }, bytes)).toBe(403);
    const other = Buffer.from(bytes.toString().toUpperCase());
    const sum = createHash("sha256").update(other).digest("base64");
    expect(await put(url, { ...headers, "x-amz-checksum-sha256": sum }, other)).toBe(403);
    expect(await put(url.replace("/tenants/local/", "/tenants/other/"), headers, bytes)).toBe(403);
    const stranger = await tenantClient(stack.url, stack.data_dir, "stranger");
    expect(new URL((await grant(stranger)).url).pathname).toContain("/tenants/stranger/");
  });
});

describe("what goes wrong inside", () => {
  it("stays inside: no stack, no name of a table, file or class leaves", async () => {
    const { table: client, table_name } = table(stack.data_dir);
    const found = await client.send(new ScanCommand({ TableName: table_name }));
    const task = found.Items?.find(({ sk, task_id }) => sk === "TASK" || (task_id && sk?.startsWith("TASK")));
    expect(task, JSON.stringify(found.Items?.map(({ pk, sk }) => [pk, sk]))).toBeDefined();
    await client.send(new PutCommand({ TableName: table_name, Item: { ...task, status: 7, spec: null } }));
    const { task_id } = task as { task_id: string };
    const paths = [
      "/api/tasks",
      `/api/tasks/${task_id}`,
      `/api/tasks/${task_id}/trace`,
      `/artifacts/${task_id}/task.json`,
    ];
    for (const path of paths) {
      const answer = await send("GET", path, bearer());
      expect([path, ...codeOf(answer)]).toEqual([path, 500, "INTERNAL"]);
      expect(Object.keys(JSON.parse(answer.text))).toEqual([
        "type",
        "title",
        "status",
        "code",
        "detail",
        "trace_id",
      ]);
      expect(answer.text).not.toMatch(/Zod|Error:|\bat \/|\.ts\b|node_modules|spec|TASK#/);
      expect(answer.text).not.toContain(table_name);
      expectGuarded(answer);
    }
    client.destroy();
  });
});
