import { nudge } from "#lib/platform/messages/send-message.ts";
import type { InvocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { parseTraceparent, taskTrace } from "#lib/platform/trace/traceparent.ts";
import { overdueTasks, readTask } from "#lib/work/tasks/task-store.ts";
import { endingOf, sendDelivery } from "#lib/work/webhooks/delivery.ts";
import {
  type OverdueDelivery,
  overdueDeliveries,
  postponeDelivery,
  readOverdue,
} from "#lib/work/webhooks/delivery-store.ts";
import { busyUntil } from "./dispatch.ts";
import type { OrchestratorPorts } from "./ports.ts";

const TASKS_MAX = 400;

/**
 * Nudges every overdue open task: accepted but never dispatched, dispatched but never claimed, claimed by a worker
 * that died, past its deadline, or ended but not sealed. Returns how many were nudged.
 */
export async function sweepOpenTasks(ports: OrchestratorPorts, spans?: InvocationSpans): Promise<number> {
  const tasks = await overdueTasks(TASKS_MAX, ports);
  for (const task of tasks) {
    const root = parseTraceparent(task.traceparent, task.tracestate);
    if (root) await nudge({ ...task, parent: { ...root, recorder: spans?.scope(task) } }, "swept", ports);
    ports.counters.count("tasks_swept", task.tenant);
  }
  if (tasks.length > 0)
    ports.log.info("TASKS_SWEPT", `${tasks.length} overdue tasks nudged`, { tasks: tasks.length });
  return tasks.length;
}

const DELIVERIES_MAX = 400;
const RESEND_SECONDS_MAX = 900;

/** Sends the overdue deliveries that no worker holds: their message was lost or never sent. Returns how many were sent. */
export async function sweepDeliveries(ports: OrchestratorPorts, spans?: InvocationSpans): Promise<number> {
  const overdue = await overdueDeliveries(DELIVERIES_MAX, ports);
  let sent = 0;
  for (const delivery of overdue) if (await sweep(delivery, ports, spans)) sent += 1;
  if (sent > 0) ports.log.info("DELIVERIES_SWEPT", `${sent} overdue deliveries sent again`, { sent });
  return sent;
}

async function sweep(
  delivery: OverdueDelivery,
  ports: OrchestratorPorts,
  spans?: InvocationSpans,
): Promise<boolean> {
  const { pk, sk } = delivery.key;
  const record = await readOverdue(delivery, ports).catch((error: unknown) => {
    // One delivery that cannot be read must not keep the others from being sent.
    ports.log.error("DELIVERY_UNREADABLE", `the delivery ${pk} ${sk} cannot be read: ${String(error)}`);
  });
  if (!record) return false;
  const now = ports.runtime.now();
  const grace_ms = ports.retryPolicy().value.redispatch_seconds * 1000;
  const { dispatch_count } = record;
  const never_tried = record.attempts === 0 && record.retry_at === 0;
  const busy_ms = never_tried ? 0 : busyUntil(record, grace_ms);
  if (busy_ms > now) {
    await postponeDelivery(delivery, busy_ms, dispatch_count, ports);
    return false;
  }
  const task = await readTask(record.tenant, record.task_id, ports);
  if (task && !task.sealed_at && endingOf(task) === record.event.data.ending) {
    await postponeDelivery(delivery, now + grace_ms, dispatch_count, ports); // the API does not show the task as ended yet
    return false;
  }
  const wait_ms = Math.min(RESEND_SECONDS_MAX * 1000, grace_ms * 2 ** dispatch_count);
  if (!(await postponeDelivery(delivery, now + wait_ms, dispatch_count + 1, ports))) return false;
  ports.counters.count("deliveries_resent", record.tenant);
  const parent = taskTrace(record, spans?.scope(record));
  await sendDelivery({ ...record, dispatch_count: dispatch_count + 1 }, parent, ports);
  return true;
}
