/** Which event for which webhook. */
export interface DeliveryName {
  task_id: string;
  /** Which of the task's endings: 0 unless it was taken up again. */
  ending: number;
  webhook_id: string;
}

const DELIVERY_ID =
  /^(?<task_id>task_[0-9a-hjkmnp-tv-z]{26})_(?<ending>\d{1,3})_(?<webhook_id>[0-9a-f]{16})$/;

/**
 * The delivery's id, which is the `webhook-id` of every attempt at it: a receiver that has seen it drops
 * what comes again. It has no dot in it, for dots part what is signed.
 */
export function deliveryId({ task_id, ending, webhook_id }: DeliveryName): string {
  return `${task_id}_${ending}_${webhook_id}`;
}

export function parseDeliveryId(text: string): DeliveryName | undefined {
  const { task_id = "", ending = "", webhook_id = "" } = DELIVERY_ID.exec(text)?.groups ?? {};
  return task_id === "" ? undefined : { task_id, ending: Number(ending), webhook_id };
}

/** Names the delivery among its task's: the step of its message and of its record. */
export function deliveryStep({ webhook_id, ending }: Omit<DeliveryName, "task_id">): string {
  return `webhook_${webhook_id}_${ending}`;
}
