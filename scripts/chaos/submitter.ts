import { TaskView } from "#schemas/http/task-view.ts";
import type { Api } from "../../cli/api.ts";
import { patiently } from "../../cli/patiently.ts";
import type { PlannedTask } from "./workload.ts";

export interface Accepted extends PlannedTask {
  task_id: string;
  api: Api;
}

/** What clients did and were told. */
export interface Submissions {
  accepted: Accepted[];
  /** Times a task was sent again although it had been accepted. */
  repeats: number;
  /** Requests that met a dead or dying stack and were made again. */
  outages: number;
  violations: string[];
}

const OUTAGE = { outage_ms_max: 900_000, pause_ms: 200 };
const REPEAT_SHARE = 0.4;

/**
 * Sends one task as a client does that never gives up: over and over with one Idempotency-Key, and
 * now and then again after it was accepted. All answers must name one task.
 */
export async function submitThroughKills(
  planned: PlannedTask,
  api: Api,
  random: () => number,
  result: Submissions,
): Promise<void> {
  const request = {
    body: { profile: "trusted", ...planned.submission },
    headers: { "idempotency-key": planned.idempotency_key },
  };
  const submit = () => {
    const onOutage = () => {
      result.outages += 1;
    };
    const post = () => api.post(TaskView, "/api/tasks", { ...request, timeout_ms: 10_000 });
    return patiently(post, { ...OUTAGE, onOutage });
  };
  const { task_id } = await submit();
  result.accepted.push({ ...planned, task_id, api });
  if (random() >= REPEAT_SHARE) return;
  await new Promise((resolve) => setTimeout(resolve, random() * 5000));
  const again = await submit();
  result.repeats += 1;
  if (again.task_id !== task_id) {
    result.violations.push(`${planned.idempotency_key} was answered with ${task_id}, then ${again.task_id}`);
  }
}
