import { prepareMessage, type SendPorts, type SendPrepared } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { DeliveryView } from "#schemas/http/webhooks.ts";
import { type TaskEnded, type WebhooksInput, WebhooksOutput } from "#schemas/messages/webhooks.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** The function that delivers events to webhooks, and its queue. */
export const WEBHOOKS = "webhooks";

/** Which event for which webhook. */
export interface DeliveryName {
  task_id: string;
  /** Which of the task's endings: 0 unless the task was reopened. */
  ending: number;
  webhook_id: string;
}

const DELIVERY_ID =
  /^(?<task_id>task_[0-9a-hjkmnp-tv-z]{26})_(?<ending>\d{1,3})_(?<webhook_id>[0-9a-f]{16})$/;

/**
 * The delivery's id, which is the `webhook-id` header of every attempt: a receiver that has seen it drops
 * the repeat. It contains no dot, for dots separate the parts of the text that is signed.
 */
export function deliveryId({ task_id, ending, webhook_id }: DeliveryName): string {
  return `${task_id}_${ending}_${webhook_id}`;
}

export function parseDeliveryId(text: string): DeliveryName | undefined {
  const { task_id = "", ending = "", webhook_id = "" } = DELIVERY_ID.exec(text)?.groups ?? {};
  return task_id === "" ? undefined : { task_id, ending: Number(ending), webhook_id };
}

/** The step name of a delivery's message and record: unique among the deliveries of its task. */
export function deliveryStep({ webhook_id, ending }: Omit<DeliveryName, "task_id">): string {
  return `webhook_${webhook_id}_${ending}`;
}

/** How many times a task had been reopened when it ended. */
export function endingOf({ reopenings }: Pick<TaskRecord, "reopenings">): number {
  return reopenings?.length ?? 0;
}

const MESSAGE_CHARACTERS_MAX = 2000;

/** The event of an ended task. It follows from the task's record, which no longer changes. */
export function taskEnded(task: TaskRecord): TaskEnded {
  const { ended_at, error } = task;
  if (ended_at === undefined) throw new RangeError(`task ${task.task_id} has not ended`);
  return {
    type: "task.ended",
    timestamp: ended_at,
    data: {
      task_id: task.task_id,
      tenant: task.tenant,
      workflow: task.spec.workflow,
      repository: task.spec.repository,
      status: task.status,
      ...(task.verdict && { verdict: task.verdict }),
      ...(error && { error: { ...error, message: error.message.slice(0, MESSAGE_CHARACTERS_MAX) } }),
      ending: endingOf(task),
      trace_id: task.trace_id,
      created_at: task.created_at,
      ended_at,
    },
  };
}

/** Makes a delivery's message, to be sent later. */
export function prepareDelivery(
  { tenant, task_id, step, webhook_id, event, deadline_at, dispatch_count }: DeliveryRecord,
  parent: TraceContext,
  ports: SendPorts,
): SendPrepared {
  const payload: WebhooksInput = { webhook_id, event };
  const place = { service: WEBHOOKS, tenant, task_id, step, round: 0 };
  return prepareMessage({ ...place, attempt: dispatch_count, payload, deadline_at, parent }, ports);
}

/** Sends a delivery's message. A copy too many does nothing, for the delivery's record is claimed once. */
export async function sendDelivery(
  delivery: DeliveryRecord,
  parent: TraceContext,
  ports: SendPorts,
): Promise<void> {
  await prepareDelivery(delivery, parent, ports)();
}

/** A delivery as the API shows it. */
export function deliveryView(record: DeliveryRecord): DeliveryView {
  const { task_id, webhook_id, event, outcome, last_error, retry_at, status } = record;
  const failed = outcome ? (outcome.verdict === "passed" ? undefined : outcome) : last_error;
  return {
    delivery_id: deliveryId({ task_id, webhook_id, ending: event.data.ending }),
    webhook_id,
    task_id,
    type: event.type,
    state: stateOf(record),
    attempts: record.attempts,
    attempted_at: record.history.map(({ at }) => at),
    status_code: WebhooksOutput.safeParse(outcome?.output).data?.status_code ?? null,
    code: failed?.code ?? null,
    message: failed?.message ?? null,
    next_try_at: status === "waiting" && retry_at ? instant(retry_at) : null,
    created_at: record.started_at,
    ended_at: record.ended_at ?? null,
  };
}

function stateOf({
  status,
  outcome,
  attempts,
  parked_at,
  last_error,
}: DeliveryRecord): DeliveryView["state"] {
  if (status === "running") return "running";
  if (status === "waiting") {
    if (parked_at !== undefined) return "parked";
    return attempts === 0 && last_error === undefined ? "queued" : "waiting";
  }
  return outcome?.verdict === "passed" ? "delivered" : "failed";
}
