import { type ApiRequest, type Route, route } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import {
  DeadLetterQueues,
  FailureDetail,
  FailureEdit,
  FailureEdited,
  FailureGroups,
  FailureImport,
  FailureList,
  FailureName,
  FailuresImported,
} from "#schemas/http/dead-letters.ts";
import { administrator } from "./administrator.ts";
import { gatewayPorts } from "./dependencies.ts";
import { editFailure } from "./edit-failure.ts";
import { describeFailure } from "./failure-detail.ts";
import { groupFailures, listFailures, listQueues, type Viewer } from "./failures.ts";
import { exportFailures, importFailures } from "./move-failures.ts";
import { FailureExportQuery, FailureGroupQuery, FailureQuery } from "./queries.ts";

/** Whoever asks, and whether they see the failures of every tenant. */
export function viewerOf({ tenant }: Pick<ApiRequest<unknown, unknown>, "tenant">): Viewer {
  const { operator_tenants } = config.authentication().value;
  return { tenant, sees_all: operator_tenants.includes(tenant) };
}

const FIRST = { id: "$response.body#/failures/0/failure" };

/** Dead letters: what failed and why. What is done about it: replay-routes.ts. */
export const failureRoutes: Record<string, Route> = {
  "GET /api/dlq/queues": route({
    access: "key",
    scope: "read",
    summary: "List the dead-letter queues: how many failures wait, since when, how many an hour",
    answers: { 200: { says: "Every queue", schema: DeadLetterQueues } },
    run: async (request) => ({
      status: 200,
      body: await listQueues(viewerOf(request), gatewayPorts(request.platform)),
    }),
  }),
  "GET /api/dlq/groups": route({
    access: "key",
    scope: "read",
    summary: "Count open failures by kind",
    query: FailureGroupQuery,
    answers: { 200: { says: "Kinds of failure, the largest first", schema: FailureGroups } },
    run: async (request) => ({
      status: 200,
      body: await groupFailures(viewerOf(request), request.query, gatewayPorts(request.platform)),
    }),
  }),
  "GET /api/dlq/failures": route({
    access: "key",
    scope: "read",
    summary: "List failures, the latest first",
    details: "From failure records: no message is received. Without `state` those that wait for an operator.",
    query: FailureQuery,
    answers: {
      200: {
        says: "One page",
        schema: FailureList,
        links: { "GET /api/dlq/failures/{id}": FIRST, "POST /api/dlq/failures/{id}/edit": FIRST },
      },
    },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async (request) => ({
      status: 200,
      body: await listFailures(viewerOf(request), request.query, gatewayPorts(request.platform)),
    }),
  }),
  "GET /api/dlq/failures/{id}": route({
    access: "key",
    scope: "read",
    summary: "Show one failure: its message, causes and tries, and what a replay would do now",
    params: { id: FailureName },
    answers: { 200: { says: "The failure", schema: FailureDetail } },
    codes: { 404: ["FAILURE_NOT_FOUND"] },
    run: async (request) => {
      const name = request.params.id ?? "";
      return {
        status: 200,
        body: await describeFailure(viewerOf(request), name, gatewayPorts(request.platform)),
      };
    },
  }),
  "POST /api/dlq/failures/{id}/edit": route({
    access: "key",
    scope: "operate",
    summary: "Replay one failure with another payload",
    details:
      "The payload is checked by the agent's input schema. The failure's record keeps the original message.",
    params: { id: FailureName },
    body: FailureEdit,
    answers: {
      200: { says: "What the edit would do, and the difference", schema: FailureEdited },
      202: { says: "The edited message is on its way", schema: FailureEdited },
    },
    codes: { 404: ["FAILURE_NOT_FOUND"], 409: ["EDIT_NOT_POSSIBLE"] },
    run: async (request) => {
      const { audited, subject } = administrator(request);
      const operator = { ...viewerOf(request), audited, subject };
      const ports = gatewayPorts(request.platform);
      const body = await editFailure(operator, request.params.id ?? "", request.body, ports);
      return { status: body.sent ? 202 : 200, body };
    },
  }),
  "GET /api/dlq/export": route({
    access: "key",
    scope: "admin",
    summary: "Export open failures with their messages, a line of JSON each",
    query: FailureExportQuery,
    answers: {
      200: {
        says: "One page",
        media_type: "application/x-ndjson",
        headers: { "next-cursor": "the cursor of the next page; absent on the last" },
      },
    },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async (request) => {
      const ports = gatewayPorts(request.platform);
      const { lines, next_cursor } = await exportFailures(viewerOf(request), request.query, ports);
      const headers = {
        "content-type": "application/x-ndjson",
        ...(next_cursor !== null && { "next-cursor": next_cursor }),
      };
      const answer = { status: 200, body: Buffer.from(lines), headers };
      if (lines === "") return answer; // nothing leaves, so there is nothing to tell the trail
      const target = JSON.stringify(request.query).slice(0, 200);
      return administrator(request).audited({ action: "dlq.export", target }, async () => answer);
    },
  }),
  "POST /api/dlq/import": route({
    access: "key",
    scope: "admin",
    summary: "Record exported failures again, and put their messages into the dead-letter queues",
    body: FailureImport,
    answers: { 200: { says: "What became of each line", schema: FailuresImported } },
    run: async (request) => {
      const { failures, why } = request.body;
      const note = { action: "dlq.import", target: "failures", detail: { why, failures: failures.length } };
      const ports = gatewayPorts(request.platform);
      return administrator(request).audited(note, async () => ({
        status: 200,
        body: await importFailures(viewerOf(request), request.body, ports),
      }));
    },
  }),
};
