import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import type { Update } from "#lib/platform/table/operations.ts";
import { claimStep } from "#lib/resilience/idempotency/claim-step.ts";
import {
  type ClaimPorts,
  readItem,
  writeAsOwner,
  writeItem,
} from "#lib/resilience/idempotency/claimed-item.ts";
import type { ClaimKey, Claims, Lease, Release } from "#lib/resilience/idempotency/claims.ts";
import { stepFields } from "#lib/resilience/idempotency/step-item.ts";
import {
  type Listing,
  ledgerSteps,
  listingUpdate,
  type StepPlace,
} from "#lib/resilience/idempotency/step-place.ts";
import type { StepOutcome } from "#schemas/records/step.ts";

const MESSAGE_CHARACTERS_MAX = 2000;

/** Step claims in DynamoDB: of a task's own steps, or of what is kept elsewhere and claimed as they are. */
export function dynamodbClaims(ports: ClaimPorts, place: StepPlace = ledgerSteps): Claims {
  const now = () => ports.runtime.now();
  const stepItem = place.item;
  const completion = (key: ClaimKey, outcome: StepOutcome) => {
    const at_ms = now(); // one moment for the record and for what lists it
    return completionOf(outcome, place.ended(key, at_ms), at_ms);
  };
  return {
    claim: (request) => claimStep(request, stepItem(request.key), ports),

    renew: (key, lease, lease_ms) =>
      writeAsOwner(
        stepItem(key),
        lease,
        { update: "SET lease_expires_at = :until", values: { until: now() + lease_ms } },
        (record) => record.status === "running",
        ports,
      ),

    async look(key, lease) {
      const item = stepItem(key);
      const record = await readItem(item, ports);
      const ours = record?.owner === lease.owner && record.fence === lease.fence;
      if (!ours || record.status !== "running") throw new LeaseLost(item.name);
    },

    complete: (key, lease, outcome) =>
      writeAsOwner(stepItem(key), lease, completion(key, outcome), isCompleted, ports),

    release: (key, lease, next) =>
      writeAsOwner(
        stepItem(key),
        lease,
        giveBack(lease, next, now()),
        (record) => record.status === "waiting",
        ports,
      ),

    async completeExhausted(record, outcome) {
      const { update, values } = completion(record, outcome);
      const written = await writeItem(
        stepItem(record),
        {
          update,
          condition: "fence = :fence AND #status IN (:waiting, :running) AND lease_expires_at < :now",
          values: {
            ...values,
            waiting: "waiting",
            running: "running",
            fence: record.fence,
            now: now(),
          },
        },
        ports,
      );
      return written !== undefined;
    },

    async cancel(request) {
      const at = instant(now());
      const { values, expression } = assignments(stepFields(request, at));
      const written = await writeItem(
        stepItem(request.key),
        {
          update: `SET ${expression}, #status = :canceled, #owner = :nobody,
            fence = if_not_exists(fence, :zero) + :one, attempts = if_not_exists(attempts, :zero),
            lease_expires_at = :zero, history = if_not_exists(history, :none), ended_at = :at,
            expires_at = :expires_at REMOVE retry_at`,
          condition: "attribute_not_exists(pk) OR #status IN (:running, :waiting)",
          values: {
            ...values,
            canceled: "canceled",
            running: "running",
            waiting: "waiting",
            nobody: "canceled",
            zero: 0,
            one: 1,
            none: [],
            at,
            expires_at: request.expires_at,
          },
        },
        ports,
      );
      return written !== undefined;
    },
  };
}

const isCompleted = (record: { status: string }) => record.status === "completed";

/** The step waits; parked, it is as if this claim had not been made, but for the fence. */
function giveBack(lease: Lease, { retry_at_ms, code, message, parked }: Release, now: number): Update {
  const counted = `REMOVE parked_at`;
  const uncounted = `, parked_at = :parked_at, parked_ms = :parked_ms REMOVE history[${lease.history_length - 1}]`;
  return {
    update: `SET #status = :waiting, retry_at = :retry_at, last_error = :error, attempts = :attempts,
      lease_expires_at = :zero ${parked ? uncounted : counted}`,
    values: {
      waiting: "waiting",
      zero: 0,
      retry_at: retry_at_ms,
      error: { code, message: message.slice(0, MESSAGE_CHARACTERS_MAX), at: instant(now) },
      attempts: parked ? lease.attempt - 1 : lease.attempt,
      ...(parked && {
        parked_at: lease.parked_at ?? now,
        parked_ms: lease.parked_ms + Math.max(0, retry_at_ms - now),
      }),
    },
  };
}

/** Ends the step and, in the same write, moves it in the lists of its place. */
function completionOf(outcome: StepOutcome, listing: Listing, now: number): Update {
  const { sets, removes, values } = listingUpdate(listing);
  return {
    update: `SET #status = :completed, outcome = :outcome, ended_at = :at${sets}${
      removes.length > 0 ? ` REMOVE ${removes.join(", ")}` : ""
    }`,
    values: { completed: "completed", outcome, at: instant(now), ...values },
  };
}
