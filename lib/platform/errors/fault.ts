import type { CodeOf, ErrorCode } from "#lib/platform/errors/codes.ts";

/** What happens to a message whose processing threw. */
export type Disposition = "retry" | "throttle" | "park" | "terminal" | "reject";

export interface FaultOptions {
  cause?: unknown;
  /** How long to wait before the next try. */
  retry_after_ms?: number | undefined;
  /** Unix ms: not before then. Wins over `retry_after_ms`. */
  retry_at_ms?: number | undefined;
  /** What failed, when it was not the work itself: its overrides in the retry policy apply. */
  dependency?: string | undefined;
  /** The dependency answered and refused this work: the failure says nothing against the dependency. */
  dependency_answered?: boolean | undefined;
  /** Unix ms: since when the dependency refuses work, when that is known. */
  since_ms?: number | undefined;
  /** The wait is drawn already so that not all work comes back at once: it is taken as it is. */
  spread?: boolean | undefined;
  /** What becomes of the work is settled; the retry policy is not asked again. */
  decided?: boolean | undefined;
}

/**
 * Every error that crosses a module's edge: a stable `code` of the catalogue (codes.ts), a sentence for a
 * person, and what is to become of the work unless the retry policy says otherwise of its code. Anything
 * else thrown counts as `retry` with the code `UNEXPECTED`.
 */
export abstract class Fault<Of extends Disposition = Disposition> extends Error {
  abstract readonly disposition: Of;
  /** Of the catalogue, unless the failure was read back from a record that another version wrote. */
  readonly code: ErrorCode;
  readonly retry_after_ms: number | undefined;
  readonly retry_at_ms: number | undefined;
  readonly dependency: string | undefined;
  readonly dependency_answered: boolean;
  readonly since_ms: number | undefined;
  readonly spread: boolean;
  readonly decided: boolean;

  constructor(code: CodeOf<Of>, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry_after_ms = options.retry_after_ms;
    this.retry_at_ms = options.retry_at_ms;
    this.dependency = options.dependency;
    this.dependency_answered = options.dependency_answered ?? false;
    this.since_ms = options.since_ms;
    this.spread = options.spread ?? false;
    this.decided = options.decided ?? false;
  }
}

/** Might work next time: the message comes back after a growing back-off; costs an attempt. */
export class RetryableFault extends Fault<"retry"> {
  readonly disposition = "retry";
}

/** A dependency asked us to slow down: back-off from a larger base, or what it asked for. */
export class ThrottledFault extends Fault<"throttle"> {
  readonly disposition = "throttle";
}

/** Waits for someone else (a live lease, an open circuit) and costs no attempt. */
export class ParkedFault extends Fault<"park"> {
  readonly disposition = "park";
}

/** A dependency's quota is spent until `retry_at_ms`: the work waits for that and costs no attempt. */
export class QuotaFault extends ParkedFault {
  constructor(code: CodeOf<"park">, message: string, options: FaultOptions & { retry_at_ms: number }) {
    super(code, message, options);
  }
}

/** Cannot ever work and is ours to look at: failure record and DLQ, at once. */
export class TerminalFault extends Fault<"terminal"> {
  readonly disposition = "terminal";
}

/**
 * The submitted work is at fault (a diff that does not apply, an unsafe archive): the step ends
 * with verdict `failed` and this code. Nothing for an operator to do, so nothing goes to a DLQ.
 */
export class RejectedInput extends Fault<"reject"> {
  readonly disposition = "reject";
}

/**
 * A fault whose disposition was decided elsewhere: by the retry policy, which may overrule the catalogue,
 * or when a failure was recorded. `code` may be a recorded one that this version does not know.
 */
export function faultOf(
  disposition: Disposition,
  code: string,
  message: string,
  options?: FaultOptions,
): Fault {
  const Kind = {
    retry: RetryableFault,
    throttle: ThrottledFault,
    park: ParkedFault,
    terminal: TerminalFault,
    reject: RejectedInput,
  }[disposition];
  return new Kind(code as never, message, options);
}
