import type { Token } from "#lib/resilience/idempotency/claimed-item.ts";
import type { StepOutcome, StepRecord } from "#schemas/records/step.ts";

/** Proof of a claim on a step. */
export interface Lease extends Token {
  /** Number of entries in the record's history. */
  history_length: number;
  /** How often the step was replayed before this claim. */
  generation: number;
  /** Unix ms of the first try that counted, since the last replay; this claim's own when it is that. */
  first_attempt_ms: number;
  /** Unix ms since when the step is kept away from a dependency; undefined when its last try counted. */
  parked_at: number | undefined;
  /** How long it was parked in all. */
  parked_ms: number;
}

/** How a step is given back. */
export interface Release {
  /** Unix ms before which it is not claimed. */
  retry_at_ms: number;
  code: string;
  message: string;
  /** It waits for a dependency: the attempt does not count. */
  parked: boolean;
}

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

export interface ClaimRequest extends StepIdentity {
  /** Unique to this claim, so that a write whose answer was lost is recognised as ours. */
  owner: string;
  lease_ms: number;
  attempts_max: number;
}

export type ClaimResult =
  | { kind: "claimed"; lease: Lease }
  | { kind: "completed"; outcome: StepOutcome; attempts: number }
  | { kind: "canceled" }
  /** Someone else's lease lives, or a back-off or parking is running: come back at `until_ms` (Unix time). */
  | { kind: "wait"; until_ms: number; parked: boolean }
  /** Attempts are spent and nobody holds the lease. */
  | { kind: "exhausted"; record: StepRecord };

/**
 * The step record as idempotency record. Each operation is one conditional write to one item:
 * that is the whole of the exactly-one-effect rule.
 */
export interface Claims {
  /** Throws TerminalFault `IDEMPOTENCY_MISMATCH` when the key was used for another source_hash. */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Throws `LeaseLost` when the lease is somebody else's now, or the step was canceled. */
  renew(key: ClaimKey, lease: Lease, lease_ms: number): Promise<void>;
  /** Changes nothing. Throws `LeaseLost` when `renew` would for a reason other than time. */
  look(key: ClaimKey, lease: Lease): Promise<void>;
  /** Ends the step for good. Throws `LeaseLost`. */
  complete(key: ClaimKey, lease: Lease, outcome: StepOutcome): Promise<void>;
  /** Gives the step back to be tried again at `retry_at_ms`. Throws `LeaseLost`. */
  release(key: ClaimKey, lease: Lease, next: Release): Promise<void>;
  /** Ends a step whose attempts are spent; false when somebody else moved it meanwhile. */
  completeExhausted(record: StepRecord, outcome: StepOutcome): Promise<boolean>;
  /** Fences out whoever runs the step; false when it had completed or been canceled already. */
  cancel(step: StepIdentity): Promise<boolean>;
}
