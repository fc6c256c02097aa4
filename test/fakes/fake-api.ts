import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TaskView } from "#schemas/http/task-view.ts";
import { TRACE_ID } from "./fake-task.ts";

export const FAKE_KEY = "dak_fake";

/** What one fake API says, and what it was told. Hand the same one to a second server to "restart" it. */
export interface FakeState {
  /** What the task looks like, one after the other: each long poll on the current one shows the next. */
  frames: TaskView[];
  /** Text of artifacts by path. */
  files: Record<string, string>;
  /** Answers in place of the usual one, by "METHOD /path". */
  answers: Record<string, { status: number; body: unknown; headers?: Record<string, string> }>;
  requests: {
    method: string;
    path: string;
    search: string;
    headers: IncomingMessage["headers"];
    body: string;
  }[];
  uploads: Map<string, Buffer>;
  /** After this many polls the connection is cut, as by a crash. */
  polls_until_crash: number;
}

export function fakeState(fields: Partial<FakeState> = {}): FakeState {
  return {
    frames: [],
    files: {},
    answers: {},
    requests: [],
    uploads: new Map(),
    polls_until_crash: Number.POSITIVE_INFINITY,
    ...fields,
  };
}

export interface FakeApi {
  url: string;
  port: number;
  stop(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export function problem(status: number, code: string, detail: string, errors?: unknown) {
  return { type: "about:blank", title: "Refused", status, code, detail, trace_id: TRACE_ID, errors };
}

/** What the path is answered with, where nothing else was set in `answers`. */
function usualAnswer(state: FakeState, url: URL, method: string, body: Buffer, origin: string) {
  if (method === "POST" && url.pathname === "/api/uploads") {
    const { sha256 } = JSON.parse(body.toString("utf8"));
    const expires_at = "2999-01-01T00:00:00.000Z";
    const grant = {
      upload_id: sha256,
      method: "PUT",
      url: `${origin}/store/${sha256}`,
      headers: {},
      expires_at,
    };
    return { status: 201, body: grant };
  }
  if (method === "POST" && url.pathname === "/api/tasks") return { status: 202, body: state.frames[0] };
  if (method === "POST" && url.pathname.endsWith("/cancel"))
    return { status: 202, body: state.frames.at(-1) };
  if (method === "GET" && url.pathname.startsWith("/api/tasks/")) {
    if (url.searchParams.get("revision") === state.frames[0]?.revision && state.frames.length > 1) {
      state.frames.shift();
    }
    return { status: 200, body: state.frames[0] };
  }
  if (method === "GET" && url.pathname === "/api/tasks") {
    const tasks = state.frames.map(({ steps: _steps, artifacts: _artifacts, ...task }) => task);
    return { status: 200, body: { tasks, next_cursor: null } };
  }
  return { status: 404, body: problem(404, "NOT_FOUND", `nothing at ${url.pathname}`) };
}

async function respond(state: FakeState, request: IncomingMessage, response: ServerResponse, origin: string) {
  const url = new URL(request.url ?? "/", origin);
  const method = request.method ?? "GET";
  const body = await readBody(request);
  state.requests.push({
    method,
    path: url.pathname,
    search: url.search,
    headers: request.headers,
    body: body.toString("utf8"),
  });
  const send = (status: number, value: unknown, headers: Record<string, string> = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
  if (url.pathname.startsWith("/store/")) {
    const sha256 = createHash("sha256").update(body).digest("hex");
    state.uploads.set(sha256, body);
    return url.pathname.endsWith(sha256) ? send(200, {}) : send(400, {});
  }
  if (request.headers.authorization !== `Bearer ${FAKE_KEY}`) {
    return send(401, problem(401, "UNAUTHORIZED", "the key is not known"));
  }
  if (url.searchParams.has("revision") && state.polls_until_crash-- <= 0) return request.socket.destroy();
  const file = url.pathname.replace(/^\/artifacts\/[^/]+\//, "");
  if (state.files[file] !== undefined) return response.end(state.files[file]);
  const answer = state.answers[`${method} ${url.pathname}`] ?? usualAnswer(state, url, method, body, origin);
  const headers = "headers" in answer ? answer.headers : undefined;
  return send(answer.status, answer.body, headers);
}

/** The HTTP API on a loopback port, telling what its state says. */
export async function startFakeApi(state: FakeState, port = 0): Promise<FakeApi> {
  const server = createServer((request, response) => {
    const own = (server.address() as AddressInfo).port;
    void respond(state, request, response, `http://127.0.0.1:${own}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
