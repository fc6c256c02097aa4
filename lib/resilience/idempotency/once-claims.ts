import { Fault } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import { claimItem, type ItemClaim } from "#lib/resilience/idempotency/claim-item.ts";
import {
  type ClaimedItem,
  type ClaimPorts,
  type Token,
  writeAsOwner,
} from "#lib/resilience/idempotency/claimed-item.ts";
import { isExpired } from "#lib/resilience/idempotency/once-item.ts";
import { storedResponse } from "#lib/resilience/idempotency/stored-response.ts";
import type { IdempotencyRecord } from "#schemas/records/idempotency.ts";

interface OnceClaim {
  source_hash: string;
  owner: string;
  lease_ms: number;
  attempts_max: number;
}

/** Claims on one key. Every write but the first is conditional on the owner's token. */
export interface OnceClaims {
  claim(request: OnceClaim): Promise<ItemClaim<IdempotencyRecord>>;
  /** Throws `LeaseLost`. */
  renew(token: Token, lease_ms: number): Promise<void>;
  /** Ends the work for good and keeps its response for duplicates. Throws `LeaseLost`. */
  complete(token: Token, response: unknown): Promise<IdempotencyRecord["response_refused"]>;
  /** Frees the key for the next try. Throws `LeaseLost`. */
  release(token: Token, error: unknown, retry_after_ms: number): Promise<void>;
}

const MESSAGE_CHARACTERS_MAX = 2000;
const CLEARED = ["last_error", "response_text", "response_refused", "ended_at"];

/** Counted from the last sign of life, in the seconds DynamoDB's TTL wants. */
function expiry(from_ms: number, seconds: number): number {
  return Math.ceil(from_ms / 1000) + seconds;
}

export function onceClaims(
  item: ClaimedItem<IdempotencyRecord>,
  expires_after_seconds: number,
  ports: ClaimPorts,
): OnceClaims {
  const { now } = ports.runtime;
  const expiresAt = (from_ms: number) => expiry(from_ms, expires_after_seconds);
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
          stale: { is: isExpired, cleared: CLEARED },
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
        (record) => record.status === "running",
        ports,
      ),

    async complete(token, response) {
      const stored = storedResponse(response);
      const fields = { ...stored, ended_at: instant(now()), expires_at: expiresAt(now()) };
      const { values, expression } = assignments(fields, "always");
      await writeAsOwner(
        item,
        token,
        {
          update: `SET #status = :completed, ${expression} REMOVE last_error`,
          values: { ...values, completed: "completed" },
        },
        (record) => record.status === "completed",
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
        (record) => record.status === "waiting",
        ports,
      );
    },
  };
}
