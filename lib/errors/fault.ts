/** What happens to a message whose processing threw. */
export type Disposition = "retry" | "throttle" | "park" | "terminal" | "reject";

interface FaultOptions {
  cause?: unknown;
  retry_after_ms?: number;
}

/**
 * Every error that crosses a module's edge: a stable `code`, a sentence for a person, and what is
 * to become of the work. Anything else thrown counts as `retry` with the code `UNEXPECTED`.
 */
export abstract class Fault extends Error {
  abstract readonly disposition: Disposition;
  readonly code: string;
  readonly retry_after_ms: number | undefined;

  constructor(code: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry_after_ms = options.retry_after_ms;
  }
}

/** Might work next time: the message comes back after a growing back-off; costs an attempt. */
export class RetryableFault extends Fault {
  readonly disposition = "retry";
}

/** A dependency asked us to slow down: back-off from a larger base, or what it asked for. */
export class ThrottledFault extends Fault {
  readonly disposition = "throttle";
}

/** Waits for someone else (a live lease, an open circuit) and costs no attempt. */
export class ParkedFault extends Fault {
  readonly disposition = "park";
}

/** Cannot ever work and is ours to look at: failure record and DLQ, at once. */
export class TerminalFault extends Fault {
  readonly disposition = "terminal";
}

/**
 * The submitted work is at fault (a diff that does not apply, an unsafe archive): the step ends
 * with verdict `failed` and this code. Nothing for an operator to do, so nothing goes to a DLQ.
 */
export class RejectedInput extends Fault {
  readonly disposition = "reject";
}
