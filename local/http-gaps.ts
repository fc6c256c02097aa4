import { randomBytes } from "node:crypto";
import { problemResponse } from "#lib/http/api/problem.ts";
import { SECURITY_HEADERS } from "#lib/http/api/answer-headers.ts";
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
  raw: { req: { url?: string } };
  mime: string | null;
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
 * hands on `false` where a text belongs, and words its own refusals in its own way.
 */
export function closeHttpGaps(server: HapiServer): void {
  server.settings.router.stripTrailingSlash = false;
  server.ext("onRequest", ({ raw }, toolkit) => {
    const [rawPath = "", rawQueryString = ""] = (raw.req.url ?? "").split("?", 2);
    try {
      checkUrl({ rawPath, rawQueryString });
      return toolkit.continue;
    } catch (error) {
      return problem(error, toolkit).takeover();
    }
  });
  server.ext("onPreHandler", (request, toolkit) => {
    request.mime = UNREAD;
    return toolkit.continue;
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

/** What hapi refused before any function was asked. */
function refusal({ statusCode: status, payload }: HapiResponse["output"] = INTERNAL): HttpError {
  if (/content-type/.test(payload.message ?? "")) {
    return new HttpError(415, "CONTENT_TYPE_UNSUPPORTED", "the content-type is not one");
  }
  if (status === 413)
    return new HttpError(413, "BODY_TOO_LARGE", "the body is larger than API Gateway takes");
  if (status === 404) return new HttpError(404, "ROUTE_UNKNOWN", "there is no such route");
  if (status < 500) return new HttpError(400, "REQUEST_MALFORMED", "the request is not valid HTTP");
  return new HttpError(500, "INTERNAL", "something went wrong in the local stack; see its log");
}

function problem(error: unknown, toolkit: Toolkit): Reply {
  const trace_id = randomBytes(16).toString("hex");
  const { statusCode = 500, headers = {}, body = "" } = problemResponse(error, trace_id, stackLog());
  const traceparent = `00-${trace_id}-${randomBytes(8).toString("hex")}-00`;
  const reply = toolkit.response(body).code(statusCode);
  for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...headers, traceparent })) {
    reply.header(name, String(value));
  }
  return reply;
}
