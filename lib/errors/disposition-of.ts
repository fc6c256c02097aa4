import { type Disposition, Fault } from "#lib/errors/fault.ts";

interface AwsError {
  name: string;
  $retryable?: { throttling?: boolean };
}

const THROTTLED = /Throttl|TooManyRequests|ProvisionedThroughputExceeded|RequestLimitExceeded|SlowDown/;

/**
 * What is to become of work that ended with this error: a Fault says so itself, an AWS error that
 * still throttled after the SDK's own retries backs off longer, and anything else is tried again.
 */
export function dispositionOf(error: unknown): Disposition {
  if (error instanceof Fault) return error.disposition;
  if (!(error instanceof Error)) return "retry";
  const { name, $retryable } = error as Error & AwsError;
  return $retryable?.throttling || THROTTLED.test(name) ? "throttle" : "retry";
}
