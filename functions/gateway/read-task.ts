import { HttpError } from "#lib/platform/errors/http-error.ts";
import { type Ledger, readLedger } from "#lib/work/tasks/task-store.ts";
import { taskView } from "#lib/work/views/task-view.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import { TaskId } from "#schemas/primitives.ts";
import type { GatewayPorts } from "./ports.ts";

const POLL_MS = 250;

/** The ledger of a tenant's task. Another tenant's task is answered like one that does not exist. */
export async function findTask(
  tenant: string,
  task_id: string,
  ports: Pick<GatewayPorts, "table" | "table_name" | "runtime">,
): Promise<Ledger> {
  const ledger = TaskId.safeParse(task_id).success ? await readLedger(tenant, task_id, ports) : undefined;
  if (!ledger) throw new HttpError(404, "TASK_NOT_FOUND", `there is no task ${task_id}`);
  return ledger;
}

interface Wait {
  wait_ms: number;
  /** Answer as soon as the view differs from this one; without it, when the task has ended. */
  revision: string | undefined;
}

/** A task as it stands, or as it stands after the next change when asked to wait for one. */
export async function readTask(
  tenant: string,
  task_id: string,
  { wait_ms, revision }: Wait,
  ports: GatewayPorts,
): Promise<TaskView> {
  const until = ports.runtime.now() + wait_ms;
  for (;;) {
    const view = taskView(await findTask(tenant, task_id, ports), ports.settings.service_version);
    const news = view.ended_at !== undefined || (revision !== undefined && view.revision !== revision);
    if (news || ports.runtime.now() >= until) return view;
    await ports.runtime.sleep(POLL_MS);
  }
}
