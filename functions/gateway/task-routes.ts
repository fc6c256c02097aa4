import { type Route, route } from "#lib/http/define-api.ts";
import { readLedger } from "#lib/tasks/task-store.ts";
import { taskView } from "#lib/tasks/task-view.ts";
import { Submission } from "#schemas/messages/submission.ts";
import { cancelTask } from "./cancel-task.ts";
import { gatewayPorts } from "./dependencies.ts";
import { listTasks } from "./list-tasks.ts";
import { ListQuery, TaskQuery } from "./queries.ts";
import { readTask } from "./read-task.ts";
import { readTrace } from "./read-trace.ts";
import { submitTask } from "./submit-task.ts";

/** Left of the invocation for answering after a wait. */
const ANSWER_MS = 3000;

/** Submitting tasks and following them. */
export const taskRoutes: Record<string, Route> = {
  "POST /api/tasks": route({
    access: "key",
    scope: "submit",
    body: Submission,
    run: async ({ tenant, body, headers, trace, log, platform }) => {
      const ports = gatewayPorts(platform);
      const idempotency_key = headers["idempotency-key"];
      const task = await submitTask({ submission: body, tenant, idempotency_key, trace, log }, ports);
      const ledger = (await readLedger(tenant, task.task_id, ports)) ?? { task, steps: [] };
      return {
        status: 202,
        body: taskView(ledger, ports.settings.service_version),
        headers: { location: `/api/tasks/${task.task_id}` },
      };
    },
  }),
  "GET /api/tasks": route({
    access: "key",
    scope: "read",
    query: ListQuery,
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listTasks(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /api/tasks/{id}": route({
    access: "key",
    scope: "read",
    query: TaskQuery,
    run: async ({ tenant, params, query, platform, remainingMs }) => {
      const wait_ms = Math.max(0, Math.min(query.wait * 1000, remainingMs() - ANSWER_MS));
      const wait = { wait_ms, revision: query.revision };
      return { status: 200, body: await readTask(tenant, params.id ?? "", wait, gatewayPorts(platform)) };
    },
  }),
  "GET /api/tasks/{id}/trace": route({
    access: "key",
    scope: "read",
    run: async ({ tenant, params, platform }) => ({
      status: 200,
      body: await readTrace(tenant, params.id ?? "", gatewayPorts(platform)),
    }),
  }),
  "POST /api/tasks/{id}/cancel": route({
    access: "key",
    scope: "submit",
    run: async ({ tenant, params, trace, platform }) => ({
      status: 202,
      body: await cancelTask(tenant, params.id ?? "", trace, gatewayPorts(platform)),
    }),
  }),
};
