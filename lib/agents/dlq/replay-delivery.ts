import { planRedelivery } from "#lib/agents/dlq/plan-redelivery.ts";
import type { ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import type { DeadLetter } from "#lib/agents/dlq/read-dead-letter.ts";
import type { PreparedReplay } from "#lib/agents/dlq/replay-message.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";
import { rearmStep } from "#lib/resilience/idempotency/step-item.ts";
import { deadlineFrom, deliveryPlace, readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";

/** A re-arming, a sending, and as many races lost to other replays. */
const WRITES_MAX = 4;

/** What replaying a dead delivery of a webhook would do first. Reads only. */
export async function previewRedelivery(letter: DeadLetter, ports: ReplayPorts): Promise<ReplayPlan> {
  return planRedelivery(letter, await recordOf(letter, ports), ports.runtime.now());
}

/** Re-arms the delivery when it was given up, and says what is left to do. Its task is not touched. */
export async function prepareRedelivery(letter: DeadLetter, ports: ReplayPorts): Promise<PreparedReplay> {
  for (let writes = 0; writes < WRITES_MAX; writes += 1) {
    const record = await recordOf(letter, ports);
    const now_ms = ports.runtime.now();
    const plan = planRedelivery(letter, record, now_ms);
    if (plan.kind !== "rearm" || !record || !letter.envelope) {
      return { plan, deadline_at: deadlineFrom(now_ms) };
    }
    const dead = { failure_id: letter.failure_id, message_id: letter.envelope.message_id };
    await rearmStep(record, dead, ports, deliveryPlace);
  }
  const sentence = "somebody else keeps moving the delivery; replay it again";
  return { plan: { kind: "keep", reason: "DELIVERY_CONTENDED", sentence } };
}

async function recordOf({ envelope }: DeadLetter, ports: ReplayPorts): Promise<DeliveryRecord | undefined> {
  return envelope && readDelivery(envelope, ports);
}
