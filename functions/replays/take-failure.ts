import { permanent } from "#lib/agents/dlq/expect-replay.ts";
import { stateOf } from "#lib/agents/dlq/failure-lists.ts";
import { markPermanent, readFailure, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import { failedMessage, replayMessage, replaysOf } from "#lib/agents/dlq/replay-message.ts";
import { STEP } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { getItem } from "#lib/platform/table/operations.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { ReplayOutcome } from "#schemas/http/replays.ts";
import type { ReplayJobRecord, ReplayResultRecord } from "#schemas/records/replay.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { ReplayJobPorts } from "./ports.ts";

type Outcome = Partial<ReplayResultRecord> & Pick<ReplayResultRecord, "outcome">;

/** Does to one failure what the job is for, and says what became of it. Safe to repeat. */
export async function actOnFailure(
  job: ReplayJobRecord,
  { failure_tenant, failure_id }: ReplayResultRecord,
  ports: ReplayJobPorts,
): Promise<Outcome> {
  const record = await readFailure(failure_tenant, failure_id, ports);
  if (!record) return { outcome: "not_found", reason: "FAILURE_NOT_FOUND", says: "there is no such failure" };
  const { service, task_id, step, round } = record;
  const facts = {
    service,
    ...(task_id && { task_id }),
    ...(step && { step }),
    ...(round !== undefined && { round }),
  };
  const state = stateOf(record);
  if (state !== "open" && state !== "permanently_failed") {
    return { ...facts, outcome: "not_found", reason: "FAILURE_SETTLED", says: `it was ${state} before` };
  }
  const failed = failedMessage({ tenant: failure_tenant, failure_id, record, position: "" });
  if (job.action === "discard") {
    const done = await settleFailure(failed, { as: "discarded", because: job.why ?? "" }, ports);
    if (done) return { ...facts, outcome: "discarded", reason: "FAILURE_DISCARDED", says: job.why };
    const says = "a replay of it has begun, or it was settled meanwhile; replay it again";
    return { ...facts, outcome: "kept", reason: "REPLAY_BEGUN", says };
  }
  const { replays_per_message_max } = ports.replays();
  if (replaysOf({ record }, failed.envelope) >= replays_per_message_max) {
    await markPermanent(failed, ports);
    const { reason, says } = permanent(replays_per_message_max);
    return { ...facts, outcome: "permanently_failed", reason, says };
  }
  const { did, reason, sentence, message_id, replay_count } = await replayMessage(failed, ports);
  return { ...facts, outcome: did, reason, says: sentence, message_id, replay_count };
}

/** How the work of a message that was sent has ended; undefined while it has not. */
export async function endOfWork(
  result: ReplayResultRecord,
  ports: ReplayJobPorts,
): Promise<ReplayOutcome | undefined> {
  const { failure_tenant: tenant, task_id, step, round = 0, service, replay_count = 0 } = result;
  if (!task_id || !step) return undefined;
  const place = { tenant, task_id, step, round };
  const record = service === WEBHOOKS ? await readDelivery(place, ports) : await readStep(place, ports);
  if (!record) return undefined;
  if ((record.replays ?? []).length > replay_count) return "failed_again"; // and was replayed since
  if (record.status !== "completed") return record.status === "canceled" ? "succeeded" : undefined;
  return record.outcome?.dead_letter ? "failed_again" : "succeeded";
}

async function readStep(
  place: { tenant: string; task_id: string; step: string; round: number },
  ports: ReplayJobPorts,
): Promise<StepRecord | undefined> {
  const found = await getItem(keyOf(STEP, place), ports);
  return found && parseStepItem(found);
}
