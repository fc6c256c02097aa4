import { replaysOf } from "#lib/agents/dlq/count-replays.ts";
import { editMessage } from "#lib/agents/dlq/edit-payload.ts";
import { permanent } from "#lib/agents/dlq/expect-replay.ts";
import { stateOf } from "#lib/agents/dlq/failure-lists.ts";
import { isOpen, readFailure, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import { type Edit, failedMessage, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import { STEP } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { getItem } from "#lib/platform/table/operations.ts";
import { type ClaimKey, parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { ReplayOutcome } from "#schemas/http/replays.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";
import type { ReplayJobRecord, ReplayResultRecord } from "#schemas/records/replay.ts";
import type { StepRecord, StepReplay } from "#schemas/records/step.ts";
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
  const { replay_id } = job;
  if (!isOpen(record)) return { ...facts, ...(await settledBefore(job, failure_id, record, ports)) };
  const failed = failedMessage({ tenant: failure_tenant, failure_id, record, position: "" });
  if (job.action === "discard") {
    const discard = { as: "discarded", because: job.why ?? "", by: replay_id } as const;
    const done = await settleFailure(failed, discard, ports);
    if (done) return { ...facts, outcome: "discarded", reason: "FAILURE_DISCARDED", says: job.why };
    const says = "a replay of it has begun, or it was settled meanwhile; replay it again";
    return { ...facts, outcome: "kept", reason: "REPLAY_BEGUN", says };
  }
  const { replays_per_message_max } = ports.replays();
  let edit: Edit | undefined;
  if (job.action === "edit") {
    const made = await editMessage(
      { tenant: failure_tenant, failure_id, record },
      { patch: JSON.parse(job.patch ?? "null") },
      ports,
    );
    if ("refused" in made) return { ...facts, outcome: "kept", reason: made.refused, says: made.says };
    edit = { edited: made.edited, by: job.created_by, why: job.why ?? "" };
  } else if (replaysOf({ record }, failed.envelope) >= replays_per_message_max) {
    const { reason, says } = permanent(replays_per_message_max);
    return { ...facts, outcome: "permanently_failed", reason, says };
  }
  const { did, reason, sentence, message_id, replay_count } = await replayMessage(failed, ports, {
    edit,
    replay_id,
  });
  return { ...facts, outcome: did, reason, says: sentence, message_id, replay_count };
}

/** The outcome of a failure that is settled: by this job, which was killed before it noted so, or by another. */
async function settledBefore(
  { replay_id }: ReplayJobRecord,
  failure_id: string,
  record: FailureRecord,
  ports: ReplayJobPorts,
): Promise<Outcome> {
  const state = stateOf(record, ports.replays());
  if (record.settled_by !== replay_id) {
    return { outcome: "not_found", reason: "FAILURE_SETTLED", says: `it was ${state} before` };
  }
  if (state === "discarded") {
    return { outcome: "discarded", reason: "FAILURE_DISCARDED", says: record.discarded_because };
  }
  if (record.replayed_as === undefined) {
    return { outcome: "removed", reason: "FAILURE_SETTLED", says: "it needed no replay any more" };
  }
  const replays = await replaysOfWork(record, ports);
  const place = replays.findIndex((replay) => replay.failure_id === failure_id);
  return {
    outcome: "sent",
    reason: "MESSAGE_SENT",
    says: "the message was sent again",
    message_id: record.replayed_as,
    replay_count: place < 0 ? replays.length : place + 1,
  };
}

async function replaysOfWork(
  { tenant, service, task_id, step, round = 0 }: FailureRecord,
  ports: ReplayJobPorts,
): Promise<StepReplay[]> {
  if (!task_id || !step) return [];
  return (await readWork(service, { tenant, task_id, step, round }, ports))?.replays ?? [];
}

/** How the work of a message that was sent has ended; undefined while it has not. */
export async function endOfWork(
  result: ReplayResultRecord,
  ports: ReplayJobPorts,
): Promise<ReplayOutcome | undefined> {
  const { failure_tenant: tenant, task_id, step, round = 0, service, replay_count = 0 } = result;
  if (!task_id || !step) return undefined;
  const record = await readWork(service, { tenant, task_id, step, round }, ports);
  if (!record) return undefined;
  if ((record.replays ?? []).length > replay_count) return "failed_again"; // and was replayed since
  if (record.status !== "completed") return record.status === "canceled" ? "succeeded" : undefined;
  return record.outcome?.dead_letter ? "failed_again" : "succeeded";
}

async function readWork(
  service: string,
  place: ClaimKey,
  ports: ReplayJobPorts,
): Promise<StepRecord | DeliveryRecord | undefined> {
  if (service === WEBHOOKS) return readDelivery(place, ports);
  const found = await getItem(keyOf(STEP, place), ports);
  return found && parseStepItem(found);
}
