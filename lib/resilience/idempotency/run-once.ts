import type { MiddlewareObj } from "@middy/core";
import type { Context } from "aws-lambda";
import { Fault, ParkedFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { aroundHandler } from "#lib/platform/runtime/around-handler.ts";
import { type Runtime, systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { ClaimToken } from "#lib/resilience/idempotency/claim.ts";
import {
  type OnceClaims,
  onceClaims,
  onceItem,
  restoredResponse,
} from "#lib/resilience/idempotency/once-record.ts";

export interface OnceOptions {
  /** A `DynamoDBDocumentClient`. */
  table: TableClient;
  /** A table with string keys `pk` and `sk` and TTL on `expires_at`. */
  table_name: string;
  /** What the keys identify, as in `payments`. The same key in another namespace is another key. */
  namespace: string;
  /** How long after its last sign of life a call is taken over. Renewed while it runs. Default 60. */
  lease_seconds?: number;
  /** How long after the last write duplicates are recognised. Default 86,400. */
  expires_after_seconds?: number;
  /** Failed and crashed attempts after which the key is given up. Default: no limit. */
  attempts_max?: number;
  /** The remaining time of the invocation in ms: no lease lasts longer. Default: no limit. */
  remainingMs?: () => number;
  /** Warns of responses that cannot be kept. */
  log?: Log;
  runtime?: Runtime;
}

/** One attempt at the work. */
export interface Attempt extends ClaimToken {
  /** Aborted with `LeaseLost` when another call took the key over. That call's result counts. */
  signal: AbortSignal;
}

/** Another call does the same work, or the work waits for its next attempt: ask again after `retry_after_ms`. */
export class InProgress extends ParkedFault {
  constructor(name: string, retry_after_ms: number) {
    super("IN_PROGRESS", `${name} is in progress elsewhere; try again in ${Math.ceil(retry_after_ms)} ms`, {
      retry_after_ms,
    });
  }
}

const LEASE_MS_MIN = 1000;
/** With less time left in the invocation nothing is written: the lease ends by itself. */
const WRITE_MS = 50;

/**
 * Does `work` once for each key. A duplicate gets the response of the first call, from its JSON. `source` (JSON) is
 * what decides the result; the same key with another source is refused. An attempt that fails frees the key at
 * once, one that crashes when its lease ends. A crash between the effect and its record repeats the effect: hand
 * `attempt.fence` or the key to the effect where it can refuse what it has seen.
 *
 * @throws InProgress `IN_PROGRESS` while another call does the work, with `retry_after_ms`
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
    case "claimed": {
      const surroundings = { ...options, remainingMs, runtime, leaseMs, name: item.name };
      return attempt(claim.token, claims, work, surroundings);
    }
    case "ended":
      return restoredResponse(item.name, claim.record) as Response;
    case "wait":
      throw new InProgress(item.name, Math.max(1, claim.until_ms - runtime.now()));
    case "exhausted": {
      const { attempts, last_error } = claim.record;
      const last = last_error ? `; the last error was ${last_error.code}: ${last_error.message}` : "";
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
  token: ClaimToken,
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
    const retry_after_ms = error instanceof Fault ? (error.retry_after_ms ?? 0) : 0;
    // Without the release, the lease ends by itself or is another call's: the caller gets the work's error.
    if (remainingMs() > WRITE_MS) await claims.release(token, error, retry_after_ms).catch(() => undefined);
    throw error;
  }
  keeper.stop();
  const refused = await claims.complete(token, response);
  if (refused) log?.warn("RESPONSE_NOT_KEPT", `duplicates of ${name} will be refused: ${refused.message}`);
  return response;
}

export interface IdempotentOptions<Event> extends Omit<OnceOptions, "remainingMs"> {
  /** Identifies the effect of an event; undefined for an event that needs no protection. */
  key: (event: Event, context: Context) => string | undefined;
  /** What decides the result (JSON). Default: the whole event. */
  source?: (event: Event) => unknown;
}

/**
 * Makes a Lambda handler idempotent, with middy 7: `middy(handler).use(idempotent({ … }))`. Use it last, so that it
 * is the first to learn of an error. A duplicate gets the handler's response without a run of the handler.
 *
 * @throws what `runOnce` throws
 */
export function idempotent<Event>(options: IdempotentOptions<Event>): MiddlewareObj<Event> {
  return aroundHandler<Event>((event, context) => {
    const key = options.key(event, context);
    if (key === undefined) return undefined;
    const source = options.source ? options.source(event) : event;
    const remainingMs = () => context.getRemainingTimeInMillis();
    return (handler) => runOnce({ ...options, remainingMs }, key, source, handler);
  });
}
