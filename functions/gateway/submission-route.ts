import { route } from "#lib/http/define-api.ts";
import { readLedger } from "#lib/tasks/task-store.ts";
import { taskView } from "#lib/tasks/task-view.ts";
import { Submission } from "#schemas/messages/submission.ts";
import { gatewayPorts } from "./dependencies.ts";
import { submitTask } from "./submit-task.ts";

/** `POST /api/tasks` */
export const submission = route({
  access: "key",
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
});
