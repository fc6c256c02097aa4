import { Fault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { type Runtime, systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { Token } from "#lib/resilience/idempotency/claimed-item.ts";
import { InProgress } from "#lib/resilience/idempotency/in-progress.ts";
import { type OnceClaims, onceClaims } from "#lib/resilience/idempotency/once-claims.ts";
import { onceItem } from "#lib/resilience/idempotency/once-item.ts";
import { restoredResponse } from "#lib/resilience/idempotency/stored-response.ts";

export interface OnceOptions {
  /** A `DynamoDBDocumentClient` of @aws-sdk/lib-dynamodb. */
  table: TableClient;
  /** A table with string keys `pk` and `sk` and TTL on `expires_at`. */
  table_name: string;
  /** What the keys are of, as in `payments`: the same key in another namespace is another one. */
  namespace: string;
  /** How long a call may be silent before another takes over; renewed while it runs. Default 60. */
  lease_seconds?: number;
  /** How long duplicates are recognised, from the last sign of life. Default 86,400. */
  expires_after_seconds?: number;
  /** Failed and crashed tries after which the key is given up. Default: no limit. */
  attempts_max?: number;
  /** What is left of the invocation, in ms: no lease goes beyond. Default: no end. */
  remainingMs?: () => number;
  /** Warns of responses that cannot be kept. */
  log?: Log;
  runtime?: Runtime;
}

/** One try of the work. */
export interface Attempt extends Token {
  /** Aborted with `LeaseLost` when the key went to another call, whose result counts. */
  signal: AbortSignal;
}

const LEASE_MS_MIN = 1000;
/** With less left of the invocation there is no time to write; the lease ends by itself. */
const WRITE_MS = 50;

/**
 * Does `work` once for each key: a duplicate gets the response of the first call, from its JSON.
 * `source` is what decides the result (JSON); a key that comes back with another one is refused.
 * A try that fails frees the key, one that crashes frees it when its lease ends. A crash after the
 * effect and before its completion repeats the effect: give it `attempt.fence` or the key where it
 * can refuse an older one.
 *
 * @throws InProgress `IN_PROGRESS` while another call is at work, with `retry_after_ms`
 * @throws TerminalFault `IDEMPOTENCY_MISMATCH`, `IDEMPOTENCY_KEY_UNUSABLE`, `ATTEMPTS_EXHAUSTED`;
 *   for a duplicate of work whose response was not kept `RESPONSE_TOO_LARGE`, `RESPONSE_NOT_JSON`
 * @throws LeaseLost `LEASE_LOST` when another call took over; this one recorded nothing
 */
export async function runOnce<Response>(
  options: OnceOptions,
  key: string,
  source: unknown,
  work: (attempt: Attempt) => Promise<Response>,
): Promise<Response> {
  const { runtime = systemRuntime, namespace, lease_seconds = 60, expires_after_seconds = 86_400 } = options;
  const item = onceItem(namespace, key);
  const remainingMs = options.remainingMs ?? (() => Number.POSITIVE_INFINITY);
  const leaseMs = () => Math.min(lease_seconds * 1000, Math.floor(remainingMs()));
  const claims = onceClaims(item, expires_after_seconds, { ...options, runtime });
  const claim = await claims.claim({
    source_hash: sourceHash(source ?? null),
    owner: runtime.uuid(),
    lease_ms: Math.max(LEASE_MS_MIN, leaseMs()),
    attempts_max: options.attempts_max ?? Number.MAX_SAFE_INTEGER,
  });
  switch (claim.kind) {
    case "claimed":
      return attempt(claim.token, claims, work, {
        ...options,
        remainingMs,
        runtime,
        leaseMs,
        name: item.name,
      });
    case "ended":
      return restoredResponse(item.name, claim.record) as Response;
    case "wait":
      throw new InProgress(item.name, Math.max(1, claim.until_ms - runtime.now()));
    case "exhausted": {
      const { attempts, last_error } = claim.record;
      const last = last_error ? `; the last one said ${last_error.code}: ${last_error.message}` : "";
      throw new TerminalFault("ATTEMPTS_EXHAUSTED", `all ${attempts} attempts of ${item.name} failed${last}`);
    }
  }
}

interface Surroundings {
  name: string;
  runtime: Runtime;
  log?: Log;
  leaseMs: () => number;
  remainingMs: () => number;
}

async function attempt<Response>(
  token: Token,
  claims: OnceClaims,
  work: (attempt: Attempt) => Promise<Response>,
  { name, runtime, leaseMs, remainingMs, log }: Surroundings,
): Promise<Response> {
  const stop = new AbortController();
  const keeper = keepLease({
    name,
    runtime,
    leaseMs,
    renew: (lease_ms) => claims.renew(token, lease_ms),
    onLost: (error) => stop.abort(error),
  });
  let response: Response;
  try {
    response = await work({ ...token, signal: stop.signal });
  } catch (error) {
    keeper.stop();
    if (remainingMs() > WRITE_MS) await release(claims, token, error);
    throw error;
  }
  keeper.stop();
  const refused = await claims.complete(token, response);
  if (refused) log?.warn("RESPONSE_NOT_KEPT", `duplicates of ${name} will be refused: ${refused.message}`);
  return response;
}

/** Its own failure is no news: the lease ends by itself, or is somebody else's. */
async function release(claims: OnceClaims, token: Token, error: unknown): Promise<void> {
  const retry_after_ms = error instanceof Fault ? (error.retry_after_ms ?? 0) : 0;
  await claims.release(token, error, retry_after_ms).catch(() => undefined);
}
