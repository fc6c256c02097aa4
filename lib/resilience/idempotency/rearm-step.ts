import { instant } from "#lib/platform/runtime/runtime.ts";
import { type ClaimPorts, writeItem } from "#lib/resilience/idempotency/claimed-item.ts";
import { ledgerSteps, listingUpdate, type StepPlace } from "#lib/resilience/idempotency/step-place.ts";
import type { StepRecord, StepReplay } from "#schemas/records/step.ts";

const MESSAGE_CHARACTERS_MAX = 2000;

/**
 * Takes a step's ending back: it waits to be claimed, with all its attempts and a higher fence, and
 * its outcome is kept as a replay. Only a step that ended is re-armed, so nobody holds its lease;
 * the condition is the very fence and status that were read. Undefined when somebody moved it first.
 */
export function rearmStep(
  record: StepRecord,
  dead: Pick<StepReplay, "failure_id" | "message_id">,
  ports: ClaimPorts,
  place: StepPlace = ledgerSteps,
): Promise<StepRecord | undefined> {
  if (record.status !== "completed" && record.status !== "canceled") {
    throw new RangeError(
      `step ${record.step} has not ended (${record.status}); only an ended step is re-armed`,
    );
  }
  const now_ms = ports.runtime.now();
  const at = instant(now_ms);
  const { sets, removes, values } = listingUpdate(place.rearmed(record, now_ms));
  const { code = "DEADLINE_EXCEEDED", message: said = "the task did not end before its deadline" } =
    record.outcome ?? {};
  const message = said.slice(0, MESSAGE_CHARACTERS_MAX);
  return writeItem(
    place.item(record),
    {
      update: `SET #status = :waiting, fence = fence + :one, attempts = :zero, lease_expires_at = :zero,
        retry_at = :zero, last_error = :error, replays = list_append(if_not_exists(replays, :none), :replay)${sets}
        REMOVE ${["outcome", "ended_at", "parked_at", "parked_ms", ...removes].join(", ")}`,
      condition: "fence = :fence AND #status = :status",
      values: {
        ...values,
        waiting: "waiting",
        status: record.status,
        fence: record.fence,
        one: 1,
        zero: 0,
        none: [],
        error: { code, message, at },
        replay: [{ ...dead, at, code, message }],
      },
    },
    ports,
  );
}
