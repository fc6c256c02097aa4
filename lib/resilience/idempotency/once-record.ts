import { Fault, faultOf, TerminalFault } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import { IDEMPOTENCY } from "#lib/platform/table/items.ts";
import { type Item, keyOf, recordFields } from "#lib/platform/table/keys.ts";
import {
  type ClaimedItem,
  type ClaimPorts,
  type ClaimToken,
  claimItem,
  type ItemClaim,
  writeAsOwner,
} from "#lib/resilience/idempotency/claim.ts";
import type { IdempotencyRecord } from "#schemas/records/idempotency.ts";

/*
 * The persistence of run-once.ts: one item for each key, and the response it keeps for duplicates.
 */

/** DynamoDB limits a partition key to 2,048 bytes. */
const KEY_BYTES_MAX = 1500;
const MESSAGE_CHARACTERS_MAX = 2000;
/** DynamoDB limits an item to 400 KB (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). */
const RESPONSE_BYTES_MAX = 350_000;
const REASON_CHARACTERS_MAX = 500;
const ADVICE = "let the work return a reference to what it made";

/**
 * The item of one key. Each key has a partition of its own, so that no number of keys makes a partition hot.
 *
 * @throws TerminalFault `IDEMPOTENCY_KEY_UNUSABLE`
 */
export function onceItem(namespace: string, key: string): ClaimedItem<IdempotencyRecord> {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > KEY_BYTES_MAX) {
    throw new TerminalFault(
      "IDEMPOTENCY_KEY_UNUSABLE",
      `an idempotency key of ${namespace} has 1 to ${KEY_BYTES_MAX} bytes, not ${bytes}: use the id of the work, or its hash`,
    );
  }
  return {
    key: keyOf(IDEMPOTENCY, { namespace, key }),
    name: `${namespace} ${key}`,
    parse: parseRecord,
  };
}

/** Checks the fields that a claim decides by. The zod schema would be nine tenths of a user's bundle. */
function parseRecord(item: Item): IdempotencyRecord {
  const record = recordFields(item);
  const { status, source_hash, owner, fence, attempts, lease_expires_at, expires_at } = record;
  const texts = [status, source_hash, owner].every((value) => typeof value === "string");
  const numbers = [fence, attempts, lease_expires_at, expires_at].every((value) => typeof value === "number");
  if (!texts || !numbers) throw new TypeError(`the item ${item.pk} is not an idempotency record`);
  return record as unknown as IdempotencyRecord;
}

/** Whether the record has expired and no lease lasts. It then counts as absent, even before TTL removes it. */
function isExpired(record: IdempotencyRecord, now_ms: number): boolean {
  const leased = record.status === "running" && record.lease_expires_at >= now_ms;
  return !leased && record.expires_at * 1000 <= now_ms;
}

interface OnceClaim {
  source_hash: string;
  owner: string;
  lease_ms: number;
  attempts_max: number;
}

/** The writes to the item of one key. All but the first throw `LeaseLost` when another call took over. */
export interface OnceClaims {
  claim(request: OnceClaim): Promise<ItemClaim<IdempotencyRecord>>;
  renew(token: ClaimToken, lease_ms: number): Promise<void>;
  /** Ends the work for good. Returns why its response cannot be kept for duplicates, if it cannot. */
  complete(token: ClaimToken, response: unknown): Promise<IdempotencyRecord["response_refused"]>;
  /** Frees the key for the next attempt. */
  release(token: ClaimToken, error: unknown, retry_after_ms: number): Promise<void>;
}

/** `expires_after_seconds` is counted from the last write. */
export function onceClaims(
  item: ClaimedItem<IdempotencyRecord>,
  expires_after_seconds: number,
  ports: ClaimPorts,
): OnceClaims {
  const { now } = ports.runtime;
  const expiresAt = (from_ms: number) => Math.ceil(from_ms / 1000) + expires_after_seconds;
  return {
    claim: ({ source_hash, ...request }) =>
      claimItem(
        {
          ...request,
          item,
          fields: { source_hash, started_at: instant(now()) },
          also: {
            update: "expires_at = :expires_at",
            values: { expires_at: expiresAt(now() + request.lease_ms) },
          },
          stale: { is: isExpired, cleared: ["last_error", "response_text", "response_refused", "ended_at"] },
        },
        ports,
      ),

    renew: (token, lease_ms) =>
      writeAsOwner(
        item,
        token,
        {
          update: "SET lease_expires_at = :until, expires_at = :expires_at",
          values: { until: now() + lease_ms, expires_at: expiresAt(now() + lease_ms) },
        },
        ({ status }) => status === "running",
        ports,
      ),

    async complete(token, response) {
      const stored = storedResponse(response);
      const fields = { ...stored, ended_at: instant(now()), expires_at: expiresAt(now()) };
      const { values, expression } = assignments(fields);
      await writeAsOwner(
        item,
        token,
        {
          update: `SET #status = :completed, ${expression} REMOVE last_error`,
          values: { ...values, completed: "completed" },
        },
        ({ status }) => status === "completed",
        ports,
      );
      return stored.response_refused;
    },

    release(token, error, retry_after_ms) {
      const code = error instanceof Fault ? error.code : "UNEXPECTED";
      const message = error instanceof Error ? error.message : String(error);
      return writeAsOwner(
        item,
        token,
        {
          update: `SET #status = :waiting, retry_at = :retry_at, last_error = :error, lease_expires_at = :zero,
            expires_at = :expires_at`,
          values: {
            waiting: "waiting",
            zero: 0,
            retry_at: now() + retry_after_ms,
            error: { code, message: message.slice(0, MESSAGE_CHARACTERS_MAX), at: instant(now()) },
            expires_at: expiresAt(now() + retry_after_ms),
          },
        },
        ({ status }) => status === "waiting",
        ports,
      );
    },
  };
}

type StoredResponse = Pick<IdempotencyRecord, "response_text" | "response_refused">;

/** The response as JSON; or why it cannot be kept, which then refuses duplicates without repeating the work. */
function storedResponse(response: unknown): StoredResponse {
  let response_text: string | undefined;
  try {
    response_text = JSON.stringify(response);
  } catch (error) {
    const reason = String(error).slice(0, REASON_CHARACTERS_MAX);
    return refused(new TerminalFault("RESPONSE_NOT_JSON", `the response is no JSON (${reason}): ${ADVICE}`));
  }
  if (response_text === undefined) return {};
  const bytes = Buffer.byteLength(response_text);
  if (bytes <= RESPONSE_BYTES_MAX) return { response_text };
  const sentence = `the response has ${bytes} bytes, more than the ${RESPONSE_BYTES_MAX} that can be kept: ${ADVICE}`;
  return refused(new TerminalFault("RESPONSE_TOO_LARGE", sentence));
}

function refused({ code, message }: TerminalFault): StoredResponse {
  return { response_refused: { code, message } };
}

/**
 * The kept response, for a duplicate.
 *
 * @throws TerminalFault `RESPONSE_TOO_LARGE`, `RESPONSE_NOT_JSON`
 */
export function restoredResponse(name: string, record: IdempotencyRecord): unknown {
  const { response_text, response_refused, ended_at } = record;
  if (response_refused) {
    const { code, message } = response_refused;
    throw faultOf("terminal", code, `${name} was done at ${ended_at} and is not repeated, but ${message}`);
  }
  return response_text === undefined ? undefined : JSON.parse(response_text);
}
