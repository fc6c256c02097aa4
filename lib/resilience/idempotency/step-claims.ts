import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import { listingAttributes } from "#lib/platform/table/keys.ts";
import type { Condition, Update } from "#lib/platform/table/operations.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { loadSpans, type SpanCargo } from "#lib/platform/trace/span-cargo.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import {
  type ClaimedItem,
  type ClaimPorts,
  type ClaimToken,
  claimItem,
  isHeld,
  readItem,
  writeAsOwner,
  writeItem,
} from "#lib/resilience/idempotency/claim.ts";
import {
  type ClaimKey,
  indexAssignments,
  MESSAGE_CHARACTERS_MAX,
  type StepIdentity,
  type StepStorage,
  stepFields,
  taskSteps,
} from "#lib/resilience/idempotency/step-item.ts";
import type { CarriedSpans } from "#schemas/records/span.ts";
import type { StepOutcome, StepRecord } from "#schemas/records/step.ts";

/*
 * The idempotency rule (claim.ts) for steps: the step record is the idempotency record.
 */

/** Proof of a claim on a step. */
export interface Lease extends ClaimToken {
  /** Number of entries in the record's history. */
  history_length: number;
  /** How often the step had been replayed before this claim. */
  replay_count: number;
  /** Unix ms of the first attempt that counted since the last replay. */
  first_attempt_ms: number;
  /** Unix ms since when the step is parked; undefined when its last attempt counted. */
  parked_at: number | undefined;
  /** How long the step has been parked in all. */
  parked_ms: number;
  /** What earlier writes of the step carried. */
  spans: CarriedSpans | undefined;
}

/** How a step is given back. */
interface Release {
  /** Unix ms before which it is not claimed. */
  retry_at_ms: number;
  code: string;
  message: string;
  /** It waits for a dependency: the attempt does not count. */
  parked: boolean;
}

export interface ClaimRequest extends StepIdentity {
  owner: string;
  lease_ms: number;
  attempts_max: number;
}

export type ClaimResult =
  | { kind: "claimed"; lease: Lease }
  | { kind: "completed"; outcome: StepOutcome; attempts: number }
  | { kind: "canceled" }
  /** Another worker's lease, a back-off or a parking lasts until then (Unix ms). */
  | { kind: "wait"; until_ms: number; parked: boolean }
  /** No attempts are left, and no lease lasts. */
  | { kind: "exhausted"; record: StepRecord };

export interface Claims {
  /** @throws TerminalFault `IDEMPOTENCY_MISMATCH` when the step was claimed for another source hash */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** @throws LeaseLost when another worker claimed the step, or it was canceled */
  renew(key: ClaimKey, lease: Lease, lease_ms: number): Promise<void>;
  /** Reads only. @throws LeaseLost when another worker claimed the step, or it was canceled */
  look(key: ClaimKey, lease: Lease): Promise<void>;
  /** Ends the step for good. The write carries the spans of `trace`. @throws LeaseLost */
  complete(key: ClaimKey, lease: Lease, outcome: StepOutcome, trace?: TraceContext): Promise<void>;
  /** Gives the step back, to be tried again at `retry_at_ms`. Carries spans as `complete` does. @throws LeaseLost */
  release(key: ClaimKey, lease: Lease, next: Release, trace?: TraceContext): Promise<void>;
  /** Ends a step that has no attempts left; false when another write came first. */
  completeExhausted(record: StepRecord, outcome: StepOutcome): Promise<boolean>;
  /** Ends a step and fences out its worker; false when it had ended already. */
  cancel(step: StepIdentity): Promise<boolean>;
}

/** Claims on a task's steps, or on other records that are claimed in the same way. */
export function stepClaims(ports: ClaimPorts, storage: StepStorage = taskSteps): Claims {
  const now = () => ports.runtime.now();
  const itemOf = storage.item;
  /** Ends the step and updates what lists it, both with the same time. */
  const completion = (key: ClaimKey, outcome: StepOutcome) => {
    const at_ms = now();
    const { sets, removes, values } = indexAssignments(storage.ended(key, at_ms));
    const remove = removes.length > 0 ? ` REMOVE ${removes.join(", ")}` : "";
    return {
      update: `SET #status = :completed, outcome = :outcome, ended_at = :at${sets}${remove}`,
      values: { completed: "completed", outcome, at: instant(at_ms), ...values },
    };
  };
  return {
    claim: (request) => claimStep(request, itemOf(request.key), ports),

    renew: (key, lease, lease_ms) =>
      writeAsOwner(
        itemOf(key),
        lease,
        { update: "SET lease_expires_at = :until", values: { until: now() + lease_ms } },
        ({ status }) => status === "running",
        ports,
      ),

    async look(key, lease) {
      const item = itemOf(key);
      const record = await readItem(item, ports);
      if (!isHeld(record, lease) || record?.status !== "running") throw new LeaseLost(item.name);
    },

    async complete(key, lease, outcome, trace) {
      const cargo = loadSpans(trace, lease.spans);
      const write = carrying(cargo, completion(key, outcome));
      await writeAsOwner(itemOf(key), lease, write, ({ status }) => status === "completed", ports);
      cargo?.delivered();
    },

    async release(key, lease, next, trace) {
      const cargo = loadSpans(trace, lease.spans);
      const write = carrying(cargo, releaseWrite(lease, next, now()));
      await writeAsOwner(itemOf(key), lease, write, ({ status }) => status === "waiting", ports);
      cargo?.delivered();
    },

    async completeExhausted(record, outcome) {
      const { update, values } = completion(record, outcome);
      const write = {
        update,
        condition: "fence = :fence AND #status IN (:waiting, :running) AND lease_expires_at < :now",
        values: {
          ...values,
          waiting: "waiting",
          running: "running",
          fence: record.fence,
          now: now(),
        },
      };
      return (await writeItem(itemOf(record), write, ports)) !== undefined;
    },

    cancel: async (step) =>
      (await writeItem(itemOf(step.key), cancelWrite(step, instant(now())), ports)) !== undefined,
  };
}

/** The write, with the spans that ride on it. Whoever holds the lease alone writes them, so they are set as a whole. */
function carrying<Write extends Update>(cargo: SpanCargo | undefined, write: Write): Write {
  if (!cargo) return write;
  const update = write.update.replace(/^SET /, "SET #spans = :spans, ");
  return { ...write, update, values: { ...write.values, spans: cargo.carried } };
}

/** Claims a step and enters the claim into its history. */
async function claimStep(
  request: ClaimRequest,
  item: ClaimedItem<StepRecord>,
  ports: ClaimPorts,
): Promise<ClaimResult> {
  const { owner, lease_ms, attempts_max, expires_at } = request;
  const at = instant(ports.runtime.now());
  const claim = await claimItem<StepRecord>(
    {
      item,
      fields: stepFields(request, at),
      also: {
        update: "history = list_append(if_not_exists(history, :none), :entry), expires_at = :expires_at",
        values: { none: [], entry: [{ owner, at }], expires_at },
      },
      stale: {
        is: isExpired,
        cleared: [
          "outcome",
          "ended_at",
          "last_error",
          "parked_at",
          "parked_ms",
          "spans",
          ...listingAttributes("by_tenant"),
        ],
      },
      owner,
      lease_ms,
      attempts_max,
    },
    ports,
  );
  switch (claim.kind) {
    case "claimed":
      return { kind: "claimed", lease: leaseOf(claim.record, claim.token) };
    case "ended": {
      const { outcome, attempts } = claim.record;
      return outcome ? { kind: "completed", outcome, attempts } : { kind: "canceled" };
    }
    case "wait": {
      const { status, parked_at } = claim.record ?? {};
      const parked = status === "waiting" && parked_at !== undefined;
      return { kind: "wait", until_ms: claim.until_ms, parked };
    }
    case "exhausted":
      return claim;
  }
}

function leaseOf(
  { history, replays = [], parked_at, parked_ms = 0, spans }: StepRecord,
  token: ClaimToken,
): Lease {
  const since = replays.at(-1)?.at ?? "";
  const first = history.find(({ at }) => at >= since) ?? history.at(-1);
  return {
    ...token,
    history_length: history.length,
    replay_count: replays.length,
    first_attempt_ms: Date.parse(first?.at ?? ""),
    parked_at,
    parked_ms,
    spans,
  };
}

/** A released step waits. A parked one is as if it had not been claimed, except for its fencing token. */
function releaseWrite(lease: Lease, { retry_at_ms, code, message, parked }: Release, now: number): Update {
  const parking = `, parked_at = :parked_at, parked_ms = :parked_ms REMOVE history[${lease.history_length - 1}]`;
  return {
    update: `SET #status = :waiting, retry_at = :retry_at, last_error = :error, attempts = :attempts,
      lease_expires_at = :zero ${parked ? parking : "REMOVE parked_at"}`,
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

function cancelWrite(step: StepIdentity, at: string): Update & Condition {
  const { values, expression } = assignments(stepFields(step, at), "if absent");
  return {
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
      expires_at: step.expires_at,
    },
  };
}
