import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { SECURITY_HEADERS } from "#lib/http/api/answer-headers.ts";
import { problemResponse } from "#lib/http/api/problem.ts";
import { headerRepeated } from "#lib/http/request/check-headers.ts";
import { checkUrl } from "#lib/http/request/parse-request.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { stackLog } from "./stack-log.ts";

/** The parts of hapi, serverless-offline's HTTP server, that are used here. */
interface HapiResponse {
  isBoom?: boolean;
  statusCode?: number;
  headers: Record<string, unknown>;
  output?: { statusCode: number; payload: { message?: string } };
}
interface HapiRequest {
  path: string;
  app: { answered?: { response: HapiResponse; status: number | undefined; cors: Record<string, unknown> } };
  raw: { req: { url?: string; rawHeaders: string[] } };
  mime: string | null;
  payload: unknown;
  response: HapiResponse;
}
interface Toolkit {
  continue: symbol;
  response(body: string): Reply;
}
interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  takeover(): Reply;
}
export interface HapiServer {
  listener: Server;
  settings: { router: { stripTrailingSlash: boolean } };
  ext(
    event: "onRequest" | "onPreHandler" | "onPostHandler" | "onPreResponse",
    method: (request: HapiRequest, toolkit: Toolkit) => unknown,
  ): void;
}

const INTERNAL = { statusCode: 500, payload: {} };
/** serverless-offline reads no body of this type; functions go by the header, which stays. */
const UNREAD = "application/octet-stream";
const CORS = /^access-control-/;

/**
 * What serverless-offline does otherwise than an HTTP API on AWS: it lets pages of every origin read every
 * answer, takes `/api/tasks/` for `/api/tasks`, mends percent-encoding in queries, reads JSON bodies and
 * hands on `false` where a text belongs, takes the last of two headers, calls a body JSON that does not say what
 * it is, and words its own refusals in its own way, those of the HTTP parser too.
 */
export function closeHttpGaps(server: HapiServer): void {
  server.settings.router.stripTrailingSlash = false;
  answerUnparsed(server.listener);
  server.ext("onRequest", ({ raw }, toolkit) => {
    const [rawPath = "", rawQueryString = ""] = (raw.req.url ?? "").split("?", 2);
    try {
      checkUrl({ rawPath, rawQueryString });
      raw.req.rawHeaders = asApiGateway(raw.req.rawHeaders);
      return toolkit.continue;
    } catch (error) {
      return problem(error, toolkit).takeover();
    }
  });
  server.ext("onPreHandler", (request, toolkit) => {
    request.mime = UNREAD;
    const { payload } = request;
    return Buffer.isBuffer(payload) && !isUtf8(payload)
      ? problem(new HttpError("BODY_NOT_UNICODE", "the body is not UTF-8"), toolkit).takeover()
      : toolkit.continue;
  });
  server.ext("onPostHandler", (request, toolkit) => {
    const { response } = request;
    const { headers, statusCode } = response;
    const cors = Object.entries(headers).filter(([name]) => CORS.test(name));
    request.app.answered = { response, status: statusCode, cors: Object.fromEntries(cors) };
    return toolkit.continue;
  });
  server.ext("onPreResponse", ({ response, app }, toolkit) => {
    if (response.isBoom) return problem(refusal(response.output), toolkit);
    for (const name of Object.keys(response.headers)) if (CORS.test(name)) delete response.headers[name];
    Object.assign(response.headers, app.answered?.cors);
    // What a failure was replaced by (http-failures.ts) has a status of its own.
    const { response: answer, status } = app.answered ?? {};
    if (answer === response && status !== undefined) response.statusCode = status;
    return toolkit.continue;
  });
}

/** Sent more than once, these would mean one thing to one reader and another to the next. */
const SINGLE = ["authorization", "content-encoding", "content-type", "host", "idempotency-key"];

/** Headers as a function gets them on AWS. Throws HttpError 400 `HEADER_REPEATED`, `REQUEST_MALFORMED`. */
function asApiGateway(raw: string[]): string[] {
  const headers = new Map<string, string[]>();
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), raw[at + 1] ?? ""]);
  }
  const repeated = SINGLE.find((name) => (headers.get(name) ?? []).length > 1);
  if (repeated !== undefined) throw headerRepeated(repeated);
  if (!headers.has("host")) throw new HttpError("REQUEST_MALFORMED", "the request names no host");
  const coding = headers.get("transfer-encoding")?.join() ?? "chunked";
  if (coding.trim().toLowerCase() !== "chunked") {
    throw new HttpError("REQUEST_MALFORMED", "the only transfer-encoding is chunked");
  }
  if ((headers.get("content-type")?.join("") ?? "").trim() === "") headers.set("content-type", [UNREAD]);
  return [...headers].flatMap(([name, values]) => [name, values.join(",")]);
}

/** Answers what is no HTTP, or too large, before there is a request that a function could be asked about. */
function answerUnparsed(listener: Server): void {
  listener.removeAllListeners("clientError");
  Object.assign(listener, { requireHostHeader: false }); // Node would refuse without a body

  listener.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
    const { statusCode, headers, body } = problemParts(unparsed(error.code));
    const lines = Object.entries({
      ...headers,
      "content-length": Buffer.byteLength(body),
      connection: "close",
    });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    socket.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${head}\r\n${body}`);
  });
}

function unparsed(code: string | undefined): HttpError {
  if (code === "HPE_HEADER_OVERFLOW") {
    return new HttpError("HEADERS_TOO_LARGE", "the headers are larger than 16 kB");
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new HttpError("REQUEST_TIMEOUT", "the request did not arrive in time");
  }
  return new HttpError("REQUEST_MALFORMED", "the request is not valid HTTP");
}

/** What hapi refused before any function was asked. */
function refusal({ statusCode: status, payload }: HapiResponse["output"] = INTERNAL): HttpError {
  if (/content-type/.test(payload.message ?? "")) {
    return new HttpError("CONTENT_TYPE_UNSUPPORTED", "the content-type is not one");
  }
  if (status === 413) return new HttpError("BODY_TOO_LARGE", "the body is larger than API Gateway takes");
  if (status === 404) return new HttpError("ROUTE_UNKNOWN", "there is no such route");
  if (status < 500) return new HttpError("REQUEST_MALFORMED", "the request is not valid HTTP");
  return new HttpError("INTERNAL", "something went wrong in the local stack; see its log");
}

function problem(error: unknown, toolkit: Toolkit): Reply {
  const { statusCode, headers, body } = problemParts(error);
  const reply = toolkit.response(body).code(statusCode);
  for (const [name, value] of Object.entries(headers)) reply.header(name, String(value));
  return reply;
}

function problemParts(error: unknown) {
  const trace_id = randomBytes(16).toString("hex");
  const { statusCode = 500, headers = {}, body = "" } = problemResponse(error, trace_id, stackLog());
  const traceparent = `00-${trace_id}-${randomBytes(8).toString("hex")}-00`;
  return { statusCode, headers: { ...SECURITY_HEADERS, ...headers, traceparent }, body };
}
