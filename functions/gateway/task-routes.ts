import { type Route, route } from "#lib/http/route.ts";
import type { CodesByStatus } from "#lib/platform/errors/codes.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import { taskView } from "#lib/work/views/task-view.ts";
import { IdempotencyKey } from "#schemas/http/idempotency-key.ts";
import { TaskList, TaskView } from "#schemas/http/task-view.ts";
import { TraceView } from "#schemas/http/trace-view.ts";
import { Submission } from "#schemas/messages/submission.ts";
import { TaskId } from "#schemas/primitives.ts";
import { mayReadArtifacts } from "./artifact-links.ts";
import { cancelTask } from "./cancel-task.ts";
import { gatewayPorts } from "./dependencies.ts";
import { ListQuery, TaskQuery } from "./queries.ts";
import { listTasks, readTask, readTrace } from "./read-task.ts";
import { submitTask } from "./submit-task.ts";

/** A submission that succeeds on a new stage. */
const EXAMPLE = {
  workflow: "run",
  source: { kind: "inline", files: { "hello.sh": "echo hello" } },
  command: "sh hello.sh",
  profile: "trusted",
};

/** Error codes of a submission beyond those of its schema. */
const SUBMISSION_CODES: CodesByStatus = {
  400: ["IDEMPOTENCY_KEY_INVALID"],
  403: ["WORKFLOW_NOT_ALLOWED", "PROFILE_NOT_ALLOWED"],
  409: ["IDEMPOTENCY_KEY_EXPIRED"],
  413: ["ARCHIVE_TOO_LARGE"],
  422: [
    "ARCHIVE_EMPTY",
    "CODEMOD_LANGUAGE_UNSUPPORTED",
    "CODEMOD_RULES_INVALID",
    "COMPUTATION_CRASHED",
    "COMPUTATION_MEMORY_LIMIT",
    "COMPUTATION_OUTPUT_LIMIT",
    "COMPUTATION_TIME_LIMIT",
    "DIFF_BINARY_UNSUPPORTED",
    "DIFF_EMPTY",
    "DIFF_FORMAT_UNSUPPORTED",
    "DIFF_MALFORMED",
    "DIFF_PATH_UNSAFE",
    "DIFF_STRIP_UNCLEAR",
    "DIFF_TOO_LARGE",
    "FIELD_REQUIRED",
    "FIELD_UNUSED",
    "GIT_REF_INVALID",
    "GIT_URL_INVALID",
    "IDEMPOTENCY_MISMATCH",
    "AGENT_NOT_CONFIGURED",
    "AGENT_UNKNOWN",
    "MODEL_NOT_CONFIGURED",
    "PROFILE_UNKNOWN",
    "SOURCE_PATH_UNSAFE",
    "SOURCE_TOO_LARGE",
    "SOURCE_TOO_MANY_FILES",
    "UPLOAD_EXPIRED",
    "UPLOAD_NOT_FOUND",
    "WORKFLOW_UNKNOWN",
  ],
  503: ["CHECK_UNAVAILABLE"],
};

/** Reserved of the invocation for the response after a wait. */
const ANSWER_MS = 3000;

/** Submitting tasks and following them. */
export const taskRoutes: Record<string, Route> = {
  "POST /api/tasks": route({
    access: "key",
    scope: "submit",
    summary: "Submit a task",
    details:
      "The task is accepted once this answers, and then ends, whatever happens to the platform. Follow it with GET /api/tasks/{id}?wait=20.",
    headers: { "idempotency-key": IdempotencyKey },
    body: Submission,
    example: EXAMPLE,
    answers: {
      202: {
        says: "Accepted, or accepted before under this Idempotency-Key",
        schema: TaskView,
        headers: { location: "path of the task" },
        links: {
          "GET /api/tasks/{id}": { id: "$response.body#/task_id" },
          "GET /api/tasks/{id}/trace": { id: "$response.body#/task_id" },
          "POST /api/tasks/{id}/cancel": { id: "$response.body#/task_id" },
        },
      },
    },
    codes: SUBMISSION_CODES,
    run: async ({ tenant, policy, body, headers, trace, log, platform }) => {
      const ports = gatewayPorts(platform, tenant);
      const idempotency_key = headers["idempotency-key"];
      const { task, repeated } = await submitTask(
        { submission: body, tenant, idempotency_key, allowed: policy, trace, log },
        ports,
      );
      // A new task is what was just written: it has no steps yet.
      const found = repeated ? await readLedger(tenant, task.task_id, ports) : undefined;
      const ledger = found ?? { task, steps: [] };
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
    summary: "List tasks, newest first",
    query: ListQuery,
    answers: { 200: { says: "One page", schema: TaskList } },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listTasks(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /api/tasks/{id}": route({
    access: "key",
    scope: "read",
    summary: "Show a task, or wait for news of it",
    details:
      "With `links=true` each artifact has a `url` that opens in a browser without a key. Whoever has it can read that artifact until `links.expires_at`. `links.missing` says which files have none, and why.",
    params: { id: TaskId },
    query: TaskQuery,
    answers: {
      200: {
        says: "The task as it stands",
        schema: TaskView,
        links: {
          "GET /artifacts/{task}/{path+}": {
            task: "$response.body#/task_id",
            path: "$response.body#/artifacts/0/path",
          },
        },
      },
    },
    codes: { 404: ["TASK_NOT_FOUND"] },
    run: async (request) => {
      const { tenant, params, query, platform } = request;
      if (query.links) mayReadArtifacts(request);
      const wait_ms = Math.max(0, Math.min(query.wait * 1000, request.remainingMs() - ANSWER_MS));
      const wait = { wait_ms, revision: query.revision, links: query.links };
      return { status: 200, body: await readTask(tenant, params.id ?? "", wait, gatewayPorts(platform)) };
    },
  }),
  "GET /api/tasks/{id}/trace": route({
    access: "key",
    scope: "read",
    summary: "Show a task's trace as a tree",
    params: { id: TaskId },
    answers: { 200: { says: "What was recorded so far", schema: TraceView } },
    codes: { 404: ["TASK_NOT_FOUND"] },
    run: async ({ tenant, params, platform }) => ({
      status: 200,
      body: await readTrace(tenant, params.id ?? "", gatewayPorts(platform)),
    }),
  }),
  "POST /api/tasks/{id}/cancel": route({
    access: "key",
    scope: "submit",
    summary: "Cancel a task",
    params: { id: TaskId },
    answers: { 202: { says: "It is being stopped", schema: TaskView } },
    codes: { 404: ["TASK_NOT_FOUND"], 409: ["TASK_ENDED"], 503: ["TASK_CONTENDED"] },
    run: async ({ tenant, params, trace, platform }) => ({
      status: 202,
      body: await cancelTask(tenant, params.id ?? "", trace, gatewayPorts(platform)),
    }),
  }),
};
