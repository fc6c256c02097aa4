import type { ReplayedLetter, ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";

/** What replaying a dead delivery of a webhook means now: its task has ended and is left alone. */
export function planRedelivery(
  { envelope, service, failure_id }: ReplayedLetter,
  record: DeliveryRecord | undefined,
  now_ms: number,
): ReplayPlan {
  if (envelope?.service !== service) {
    const sentence = `it is no message for ${service} and would fail again; purge it`;
    return { kind: "keep", reason: "MESSAGE_UNREADABLE", sentence };
  }
  if (!record) {
    const sentence = "there is no such delivery, or its time is over; purge it";
    return { kind: "keep", reason: "DELIVERY_UNKNOWN", sentence };
  }
  const { status, outcome, replays = [], lease_expires_at } = record;
  const replayed = replays.findLastIndex((replay) => replay.failure_id === failure_id);
  if (replayed >= 0 && !(replayed === replays.length - 1 && status === "waiting")) {
    const sentence = "it was replayed; the message is only taken out";
    return { kind: "remove", reason: "REPLAYED_ALREADY", sentence };
  }
  if (status === "completed") {
    if (outcome?.dead_letter) {
      return { kind: "rearm", reason: "DELIVERY_REARMED", sentence: "the event is delivered again" };
    }
    const sentence = `it has ended since (${outcome?.verdict}); the message is only taken out`;
    return { kind: "remove", reason: "DELIVERY_ENDED_SINCE", sentence };
  }
  if (status === "running" && lease_expires_at >= now_ms) {
    const sentence = "a worker is at it; replay again if it does not succeed";
    return { kind: "keep", reason: "STEP_IN_PROGRESS", sentence };
  }
  return {
    kind: "send",
    reason: "MESSAGE_SENT",
    sentence: "the message is sent again: it waits for a worker",
  };
}
