import { defineApi, route } from "#lib/http/define-api.ts";
import { UploadRequest } from "#schemas/messages/submission.ts";
import { cancelTask } from "./cancel-task.ts";
import { createUpload } from "./create-upload.ts";
import { gatewayPorts } from "./dependencies.ts";
import { integrationStatus } from "./integration-status.ts";
import { listArtifacts } from "./list-artifacts.ts";
import { listTasks } from "./list-tasks.ts";
import { metricsSummary } from "./metrics-summary.ts";
import { ArtifactQuery, ListQuery, TaskQuery } from "./queries.ts";
import { readArtifact } from "./read-artifact.ts";
import { readTask } from "./read-task.ts";
import { submission } from "./submission-route.ts";

/** Left of the invocation for answering after a wait. */
const ANSWER_MS = 3000;

/** Every route of the HTTP API but `POST /api/query`. */
export const handler = defineApi("gateway", {
  "POST /api/tasks": submission,
  "GET /api/tasks": route({
    access: "key",
    query: ListQuery,
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listTasks(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /api/tasks/{id}": route({
    access: "key",
    query: TaskQuery,
    run: async ({ tenant, params, query, platform, remainingMs }) => {
      const wait_ms = Math.max(0, Math.min(query.wait * 1000, remainingMs() - ANSWER_MS));
      const wait = { wait_ms, revision: query.revision };
      return { status: 200, body: await readTask(tenant, params.id ?? "", wait, gatewayPorts(platform)) };
    },
  }),
  "POST /api/tasks/{id}/cancel": route({
    access: "key",
    run: async ({ tenant, params, trace, platform }) => ({
      status: 202,
      body: await cancelTask(tenant, params.id ?? "", trace, gatewayPorts(platform)),
    }),
  }),
  "POST /api/uploads": route({
    access: "key",
    body: UploadRequest,
    run: async ({ tenant, body, platform }) => ({
      status: 201,
      body: await createUpload(body, tenant, gatewayPorts(platform)),
    }),
  }),
  "GET /api/artifacts/index": route({
    access: "key-or-local",
    query: ArtifactQuery,
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listArtifacts(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /artifacts/{task}/{path+}": route({
    access: "key",
    run: ({ tenant, params, platform }) =>
      readArtifact(tenant, params.task ?? "", params.path ?? "", gatewayPorts(platform)),
  }),
  "GET /api/metrics/summary": route({
    access: "key-or-local",
    run: async ({ tenant, platform }) => ({
      status: 200,
      body: await metricsSummary(tenant, gatewayPorts(platform)),
    }),
  }),
  "GET /api/integration/status": route({
    access: "key",
    run: async ({ platform }) => {
      const status = await integrationStatus(gatewayPorts(platform));
      return { status: status.ok ? 200 : 503, body: status };
    },
  }),
});
