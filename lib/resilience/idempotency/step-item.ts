import { instant } from "#lib/platform/runtime/runtime.ts";
import { STEP } from "#lib/platform/table/items.ts";
import { type Item, keyOf, listingAttributes, listingOf } from "#lib/platform/table/keys.ts";
import { readRecord } from "#lib/platform/table/read-record.ts";
import { type ClaimedItem, type ClaimPorts, writeItem } from "#lib/resilience/idempotency/claim.ts";
import { StepRecord, type StepReplay } from "#schemas/records/step.ts";

/*
 * A step's item: where it is, what lists it, and the writes that need no claim.
 */

/** Identifies a step of a task. */
export interface ClaimKey {
  tenant: string;
  task_id: string;
  step: string;
  round: number;
}

/** What a step record is about; written once. */
export interface StepIdentity {
  key: ClaimKey;
  service: string;
  idempotency_key: string;
  source_hash: string;
  /** Unix seconds after which the record counts as absent; each write of its identity renews it. */
  expires_at: number;
}

/** Index fields that a write sets and removes, so that lists change together with the record. */
export interface IndexUpdate {
  set: Item;
  remove: readonly string[];
}

/** Where the records of one kind of step are, and the index fields they have. */
export interface StepStorage {
  item(key: ClaimKey): ClaimedItem<StepRecord>;
  /** When a step ends, and when it is made ready to run again. */
  ended(key: ClaimKey, now_ms: number): IndexUpdate;
  rearmed(key: ClaimKey, now_ms: number): IndexUpdate;
}

export const MESSAGE_CHARACTERS_MAX = 2000;

/** The steps of a task. A step that ends enters its artifacts into the tenant's index. */
export const taskSteps: StepStorage = {
  item: (key) => ({ key: keyOf(STEP, key), name: `step ${key.step}`, parse: parseStepItem }),
  ended: (key, now_ms) => ({
    set: listingOf(STEP, "by_tenant", { ...key, completed_at: instant(now_ms) }),
    remove: [],
  }),
  rearmed: () => ({ set: {}, remove: listingAttributes("by_tenant") }),
};

/** A step's item as a record, without its keys. Throws ParkedFault `RECORD_NEWER`. */
export function parseStepItem(item: Item): StepRecord {
  return readRecord(StepRecord, item);
}

/** The fields that the first write to a step record sets and later writes leave as they are. */
export function stepFields(identity: StepIdentity, at: string) {
  const { key, service, idempotency_key, source_hash } = identity;
  const { tenant, task_id, step, round } = key;
  return { tenant, task_id, step, round, service, idempotency_key, source_hash, started_at: at };
}

/** An index update as parts of an expression: `, a = :a` to follow SET, and the names to follow REMOVE. */
export function indexAssignments({ set, remove }: IndexUpdate) {
  const sets = Object.keys(set).map((name) => `, ${name} = :${name}`);
  return { sets: sets.join(""), removes: remove, values: set };
}

/** The input that an operator gave a step instead of its own; undefined when it has its own. */
export function editedPayload(record: StepRecord | undefined): string | undefined {
  return record?.replays?.findLast(({ edited_payload }) => edited_payload !== undefined)?.edited_payload;
}

/** Another input for a step that is re-armed, and the identity that follows from it. */
export interface EditedInput {
  payload: string;
  idempotency_key: string;
  source_hash: string;
}

/**
 * Makes an ended step ready to run again, with all its attempts and a higher fencing token, and keeps its outcome
 * as a replay. The step has ended, so nobody holds its lease; the write is conditional on the fencing token and the
 * status that were read. Undefined when another write came first.
 */
export function rearmStep(
  record: StepRecord,
  dead_letter: Pick<StepReplay, "failure_id" | "message_id">,
  ports: ClaimPorts,
  storage: StepStorage = taskSteps,
  edited?: EditedInput,
): Promise<StepRecord | undefined> {
  if (record.status !== "completed" && record.status !== "canceled") {
    throw new RangeError(
      `step ${record.step} has not ended (${record.status}): only an ended step runs again`,
    );
  }
  const now_ms = ports.runtime.now();
  const at = instant(now_ms);
  const { sets, removes, values } = indexAssignments(storage.rearmed(record, now_ms));
  const { code = "DEADLINE_EXCEEDED", message: full_message = "the task did not end before its deadline" } =
    record.outcome ?? {};
  const message = full_message.slice(0, MESSAGE_CHARACTERS_MAX);
  return writeItem(
    storage.item(record),
    {
      update: `SET #status = :waiting, fence = fence + :one, attempts = :zero, lease_expires_at = :zero,
        retry_at = :zero, last_error = :error, replays = list_append(if_not_exists(replays, :none), :replay)${sets}${edited ? ", idempotency_key = :key, source_hash = :hash" : ""}
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
        replay: [{ ...dead_letter, at, code, message, ...(edited && { edited_payload: edited.payload }) }],
        ...(edited && { key: edited.idempotency_key, hash: edited.source_hash }),
      },
    },
    ports,
  );
}

/** Keeps the records of a task's steps at least until `expires_at` (Unix seconds). Safe to repeat. */
export async function keepSteps(steps: StepRecord[], expires_at: number, ports: ClaimPorts): Promise<void> {
  for (const step of steps) {
    await writeItem(
      taskSteps.item(step),
      {
        update: "SET expires_at = :expires_at",
        condition: "attribute_exists(#status) AND expires_at < :expires_at",
        values: { expires_at },
      },
      ports,
    );
  }
}
