import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { Problem } from "#schemas/http/task-view.ts";
import { environmentOf } from "./client.ts";
import { testStack } from "./test-stack.ts";

const { stack, api } = testStack();

interface Answer {
  status: number;
  head: string;
  body: string;
}

/** Bytes as they are to a port of this machine, and what is answered until the connection ends. */
function exchange(port: number, text: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const parts: Buffer[] = [];
    socket.on("data", (part) => parts.push(part));
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", ...rest] = Buffer.concat(parts).toString("utf8").split("\r\n\r\n");
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body: rest.join("\r\n\r\n") });
    });
  });
}

function request(line: string, headers: string[], body: string | Buffer = ""): Buffer {
  const head = [`${line} HTTP/1.1`, ...headers, "connection: close", "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]);
}

const HOST = "host: 127.0.0.1";
const JSON_TYPE = "content-type: application/json";
const BODY = JSON.stringify({
  workflow: "run",
  source: { kind: "inline", files: { a: "b" } },
  command: "ls",
});
const length = (body: string | Buffer) => `content-length: ${Buffer.byteLength(body)}`;
const bearer = () => `authorization: Bearer ${api.key}`;
/** A character of four bytes without its last: decoders make one replacement of it, of three bytes too. */
const HALF = Buffer.concat([
  Buffer.from('{"workflow":"'),
  Buffer.from([0xf0, 0x9f, 0x98]),
  Buffer.from('"}'),
]);
const chunked = (body: Buffer) =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);

const CASES: [what: string, status: number, code: string, made: () => Buffer][] = [
  [
    "a body that does not say what it is",
    415,
    "CONTENT_TYPE_UNSUPPORTED",
    () => request("POST /api/tasks", [HOST, bearer(), length(BODY)], BODY),
  ],
  [
    "a body of another type",
    415,
    "CONTENT_TYPE_UNSUPPORTED",
    () => request("POST /api/tasks", [HOST, bearer(), "content-type: text/plain", length(BODY)], BODY),
  ],
  [
    "a form",
    415,
    "CONTENT_TYPE_UNSUPPORTED",
    () =>
      request(
        "POST /api/tasks",
        [HOST, bearer(), "content-type: application/x-www-form-urlencoded", length(BODY)],
        BODY,
      ),
  ],
  [
    "another charset",
    415,
    "CONTENT_TYPE_UNSUPPORTED",
    () =>
      request("POST /api/tasks", [HOST, bearer(), `${JSON_TYPE}; charset=iso-8859-1`, length(BODY)], BODY),
  ],
  [
    "two types",
    400,
    "HEADER_REPEATED",
    () =>
      request("POST /api/tasks", [HOST, bearer(), "content-type: text/plain", JSON_TYPE, length(BODY)], BODY),
  ],
  [
    "two credentials, the last of them good",
    400,
    "HEADER_REPEATED",
    () => request("GET /api/tasks", [HOST, "authorization: Bearer x", bearer()]),
  ],
  [
    "two credentials, the first of them good",
    400,
    "HEADER_REPEATED",
    () => request("GET /api/tasks", [HOST, bearer(), "Authorization: Bearer x"]),
  ],
  [
    "two credentials in one header, as API Gateway joins them",
    400,
    "HEADER_REPEATED",
    () => request("GET /api/tasks", [HOST, `${bearer()},Bearer x`]),
  ],
  [
    "two credentials on a route that wants none",
    400,
    "HEADER_REPEATED",
    () => request("GET /api/metrics/summary", [HOST, "authorization: a", "authorization: b"]),
  ],
  [
    "two idempotency keys",
    400,
    "HEADER_REPEATED",
    () =>
      request(
        "POST /api/tasks",
        [HOST, bearer(), JSON_TYPE, "idempotency-key: a", "idempotency-key: b", length(BODY)],
        BODY,
      ),
  ],
  [
    "two hosts",
    400,
    "HEADER_REPEATED",
    () => request("GET /api/metrics/summary", [HOST, "host: evil.example"]),
  ],
  ["no host", 400, "REQUEST_MALFORMED", () => request("GET /api/metrics/summary", [])],
  [
    "two lengths",
    400,
    "REQUEST_MALFORMED",
    () =>
      request("POST /api/tasks", [HOST, bearer(), JSON_TYPE, "content-length: 1", "content-length: 2"], "{}"),
  ],
  [
    "a length and chunks",
    400,
    "REQUEST_MALFORMED",
    () =>
      request(
        "POST /api/tasks",
        [HOST, bearer(), JSON_TYPE, "content-length: 3", "transfer-encoding: chunked"],
        "0\r\n\r\n",
      ),
  ],
  [
    "another transfer-encoding",
    400,
    "REQUEST_MALFORMED",
    () =>
      request(
        "POST /api/tasks",
        [HOST, bearer(), JSON_TYPE, "transfer-encoding: gzip, chunked"],
        "0\r\n\r\n",
      ),
  ],
  [
    "a header that is none",
    400,
    "REQUEST_MALFORMED",
    () => request("GET /api/tasks", [HOST, bearer(), "a b: c"]),
  ],
  [
    "headers too large",
    431,
    "HEADERS_TOO_LARGE",
    () => request("GET /api/tasks", [HOST, bearer(), `a: ${"x".repeat(40_000)}`]),
  ],
  ["something else than HTTP", 400, "REQUEST_MALFORMED", () => Buffer.from("\x16\x03\x01\r\n\r\n", "latin1")],
  [
    "a body that is not UTF-8",
    400,
    "BODY_NOT_UNICODE",
    () => request("POST /api/tasks", [HOST, bearer(), JSON_TYPE, length(HALF)], HALF),
  ],
  [
    "a body in chunks that is not UTF-8",
    400,
    "BODY_NOT_UNICODE",
    () =>
      request("POST /api/tasks", [HOST, bearer(), JSON_TYPE, "transfer-encoding: chunked"], chunked(HALF)),
  ],
  [
    "a key that stands twice",
    400,
    "BODY_KEY_REFUSED",
    () => request("POST /api/tasks", [HOST, bearer(), JSON_TYPE, length('{"a":1,"a":2}')], '{"a":1,"a":2}'),
  ],
  [
    "a deep body",
    400,
    "BODY_TOO_COMPLEX",
    () => request("POST /api/tasks", [HOST, bearer(), JSON_TYPE, length("[".repeat(5000))], "[".repeat(5000)),
  ],
  [
    "a query parameter that stands twice",
    422,
    "QUERY_INVALID",
    () => request("GET /api/tasks?limit=1&limit=2", [HOST, bearer()]),
  ],
];

describe("a request that means two things, or nothing", () => {
  it.each(CASES)("%s is answered %i %s", async (_what, status, code, made) => {
    const answer = await exchange(Number(new URL(stack.url).port), made());
    expect([answer.status, Problem.parse(JSON.parse(answer.body)).code]).toEqual([status, code]);
    expect(answer.head.toLowerCase()).toContain("content-type: application/problem+json");
  });

  it("takes a body in chunks, and none where none is wanted", async () => {
    const port = Number(new URL(stack.url).port);
    const sent = request(
      "POST /api/tasks",
      [HOST, bearer(), JSON_TYPE, "transfer-encoding: chunked"],
      chunked(Buffer.from(BODY)),
    );
    expect((await exchange(port, sent)).status).toBe(202);
    expect((await exchange(port, request("GET /api/tasks", [HOST, bearer()]))).status).toBe(200);
  });
});

describe("the ports behind the API", () => {
  const endpoints = () => {
    const { AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS } = environmentOf(stack.data_dir);
    return [AWS_ENDPOINT_URL_DYNAMODB ?? "", AWS_ENDPOINT_URL_SQS ?? ""];
  };
  const calls = ["DynamoDB_20120810.Scan", "DynamoDB_20120810.ListTables", "AmazonSQS.ListQueues"];

  it.each([
    ["OPTIONS", ["origin: http://evil.example", "access-control-request-method: POST"]],
    ["POST", ["origin: http://evil.example"]],
    ["POST", ["origin: null"]],
    ["POST", ["origin: http://127.0.0.1:3001"]],
    ["GET", ["sec-fetch-site: cross-site", "sec-fetch-mode: no-cors"]],
    ["GET", ["sec-fetch-site: same-site", "sec-fetch-mode: navigate"]],
  ])("answer no web page: %s with %j", async (method, headers) => {
    for (const endpoint of endpoints()) {
      for (const target of calls) {
        const sent = [
          `host: ${new URL(endpoint).host}`,
          `x-amz-target: ${target}`,
          "content-type: application/x-amz-json-1.0",
          "content-length: 2",
          ...headers,
        ];
        const answer = await exchange(Number(new URL(endpoint).port), request(`${method} /`, sent, "{}"));
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([403, "FOREIGN_REQUEST"]);
        expect(answer.head.toLowerCase()).not.toContain("access-control-");
      }
    }
  });

  it.each([
    [["origin: http://evil.example"], /FOREIGN_REQUEST/],
    [["origin: http://127.0.0.1.evil.example"], /FOREIGN_REQUEST/],
    [["origin: null"], /FOREIGN_REQUEST/],
    [["origin: http://127.0.0.1:3001", "sec-fetch-site: cross-site"], /FOREIGN_REQUEST/],
    [
      ["origin: http://127.0.0.1:3001", "sec-fetch-site: same-site"],
      /SignatureDoesNotMatch|AuthorizationQuery/,
    ],
  ])("take an upload by a signed URL and from a page of this machine only: %j", async (headers, refusal) => {
    const { AWS_ENDPOINT_URL_S3 = "" } = environmentOf(stack.data_dir);
    const { host, port } = new URL(AWS_ENDPOINT_URL_S3);
    const sent = [`host: ${host}`, "content-length: 0", ...headers];
    const answer = await exchange(Number(port), request("PUT /any/key?X-Amz-Signature=00", sent));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).toMatch(refusal);
  });

  it.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:4313", "0.0.0.0", ""])(
    "answer nobody who calls them %j",
    async (host) => {
      for (const endpoint of endpoints()) {
        const answer = await exchange(Number(new URL(endpoint).port), request("GET /", [`host: ${host}`]));
        expect(answer.status).toBe(403);
      }
    },
  );

  it("do not include one that invokes functions", async () => {
    const path = "/2015-03-31/functions/distributed-agents-local-authorizer/invocations";
    const sent = request(`POST ${path}`, [HOST, JSON_TYPE, "content-length: 2"], "{}");
    // Somebody else may listen there meanwhile.
    const answer = await exchange(Number(new URL(stack.url).port) + 1, sent).catch(() => undefined);
    expect(answer?.status).not.toBe(200);
  });
});
