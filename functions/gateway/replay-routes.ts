import { type ApiRequest, type Route, route } from "#lib/http/route.ts";
import { IdempotencyKey } from "#schemas/http/idempotency-key.ts";
import {
  ReplayId,
  ReplayList,
  ReplayPreview,
  ReplayRequest,
  ReplayResultList,
  ReplayView,
} from "#schemas/http/replays.ts";
import { administrator } from "./administrator.ts";
import { commandReplay, type JobCommand } from "./command-replay.ts";
import { gatewayPorts } from "./dependencies.ts";
import { viewerOf } from "./failure-routes.ts";
import { checkIdempotencyKey } from "./idempotency-key.ts";
import { ReplayQuery, ReplayResultQuery } from "./queries.ts";
import {
  createReplay,
  findReplay,
  listReplays,
  listResults,
  type Operator,
  previewJob,
  replayView,
} from "./replay-jobs.ts";

function operatorOf(request: ApiRequest<unknown, unknown>): Operator {
  const { subject, audited } = administrator(request);
  const is_admin = request.identity?.scopes.includes("admin") ?? false;
  return { ...viewerOf(request), subject, audited, is_admin, trace: request.trace, log: request.log };
}

const FIRST = { id: "$response.body#/replays/0/replay_id" };
const CREATED = { id: "$response.body#/replay_id" };
const NOT_FOUND = { 404: ["REPLAY_NOT_FOUND"] } as const;

/** A route that carries out an operator's command on a job. */
function command(name: JobCommand, scope: "operate" | "admin", summary: string): Route {
  return route({
    access: "key",
    scope,
    summary,
    params: { id: ReplayId },
    answers: { 200: { says: "The job after the command", schema: ReplayView } },
    codes: {
      ...NOT_FOUND,
      409: name === "approve" ? ["REPLAY_STATE_CONFLICT", "APPROVAL_EXPIRED"] : ["REPLAY_STATE_CONFLICT"],
      ...(name === "approve" && { 403: ["APPROVAL_NOT_OWN"] as const }),
    },
    run: async (request) => ({
      status: 200,
      body: await commandReplay(
        operatorOf(request),
        request.params.id ?? "",
        name,
        gatewayPorts(request.platform),
      ),
    }),
  });
}

/** Replay jobs: putting failures back to work, or giving them up. */
export const replayRoutes: Record<string, Route> = {
  "POST /api/dlq/replays": route({
    access: "key",
    scope: "operate",
    summary: "Replay, edit or discard failures by a job, or say what the job would do",
    details:
      "A job survives crashes. A failure is replayed once, whichever jobs select it. A discard needs scope admin too; a large edit or discard waits for the approval of another operator.",
    headers: { "idempotency-key": IdempotencyKey },
    body: ReplayRequest,
    example: { selection: { all: true }, dry_run: true },
    answers: {
      200: { says: "What the job would do", schema: ReplayPreview },
      202: {
        says: "The job, on its way, or waiting for approval",
        schema: ReplayView,
        links: {
          "GET /api/dlq/replays/{id}": CREATED,
          "GET /api/dlq/replays/{id}/results": CREATED,
          "POST /api/dlq/replays/{id}/pause": CREATED,
          "POST /api/dlq/replays/{id}/abort": CREATED,
        },
      },
    },
    codes: {
      400: ["IDEMPOTENCY_KEY_INVALID"],
      403: ["SCOPE_MISSING", "OPERATOR_TENANT_REQUIRED"],
      422: ["WHY_REQUIRED", "MOVE_NOT_POSSIBLE", "IDEMPOTENCY_MISMATCH"],
    },
    run: async (request) => {
      const ports = gatewayPorts(request.platform);
      const operator = operatorOf(request);
      const key = request.headers["idempotency-key"];
      checkIdempotencyKey(key);
      if (request.body.dry_run) return { status: 200, body: await previewJob(operator, request.body, ports) };
      return { status: 202, body: await createReplay(operator, request.body, key, ports) };
    },
  }),
  "GET /api/dlq/replays": route({
    access: "key",
    scope: "read",
    summary: "List the tenant's replay jobs, newest first",
    query: ReplayQuery,
    answers: {
      200: {
        says: "One page",
        schema: ReplayList,
        links: {
          "POST /api/dlq/replays/{id}/resume": FIRST,
          "POST /api/dlq/replays/{id}/approve": FIRST,
        },
      },
    },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listReplays(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /api/dlq/replays/{id}": route({
    access: "key",
    scope: "read",
    summary: "Show a replay job and its progress",
    params: { id: ReplayId },
    answers: { 200: { says: "The job", schema: ReplayView } },
    codes: NOT_FOUND,
    run: async ({ tenant, params, platform }) => {
      const ports = gatewayPorts(platform);
      return { status: 200, body: replayView(await findReplay(tenant, params.id ?? "", ports), ports) };
    },
  }),
  "GET /api/dlq/replays/{id}/results": route({
    access: "key",
    scope: "read",
    summary: "List what a replay job did, message by message",
    params: { id: ReplayId },
    query: ReplayResultQuery,
    answers: { 200: { says: "One page, in the order of the job", schema: ReplayResultList } },
    codes: NOT_FOUND,
    run: async ({ tenant, params, query, platform }) => ({
      status: 200,
      body: await listResults(tenant, params.id ?? "", query, gatewayPorts(platform)),
    }),
  }),
  "POST /api/dlq/replays/{id}/pause": command("pause", "operate", "Pause a running job; resume continues it"),
  "POST /api/dlq/replays/{id}/resume": command("resume", "operate", "Continue a paused or failed job"),
  "POST /api/dlq/replays/{id}/abort": command("abort", "operate", "End a job; what it did stays done"),
  "POST /api/dlq/replays/{id}/approve": command("approve", "admin", "Approve the job of another operator"),
};
