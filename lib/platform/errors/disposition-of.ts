import { type Disposition, Fault } from "#lib/platform/errors/fault.ts";

/** Error code, error name or class → what becomes of the work: `dispositions` of the retry policy. */
export type Dispositions = Readonly<Record<string, Disposition>>;

interface AwsError {
  name: string;
  code?: unknown;
  $fault?: string;
  $retryable?: { throttling?: boolean };
}

const THROTTLED = /Throttl|TooManyRequests|ProvisionedThroughputExceeded|RequestLimitExceeded|SlowDown/;
const UNREACHABLE = /^(?:ECONN|EPIPE$|EHOST|ENET|ENOTFOUND$|EAI_AGAIN$|ETIMEDOUT$)/;

/**
 * What is to become of work that ended with this error: what the policy says of its code, its name or
 * its class, the most particular first. Else a Fault says so itself, an AWS error that still
 * throttled after the SDK's own retries backs off longer, and anything else is tried again.
 */
export function dispositionOf(error: unknown, policy: Dispositions = {}): Disposition {
  if (!(error instanceof Error)) return policy.UNEXPECTED ?? "retry";
  if (error instanceof Fault && error.decided) return error.disposition;
  const names = namesOf(error as Error & AwsError);
  const said = names.find((name) => Object.hasOwn(policy, name));
  if (said !== undefined) return policy[said] ?? "retry";
  if (error instanceof Fault) return error.disposition;
  return isThrottled(error as Error & AwsError) ? "throttle" : "retry";
}

/** A service could not be reached, was at fault itself or throttled: nothing is wrong with the work. */
export function isServiceUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code, $fault } = error as Error & AwsError;
  if ($fault === "server" || isThrottled(error as Error & AwsError)) return true;
  return name === "TimeoutError" || (typeof code === "string" && UNREACHABLE.test(code));
}

function isThrottled({ name, $retryable }: AwsError): boolean {
  return $retryable?.throttling === true || THROTTLED.test(name);
}

function namesOf(error: Error & AwsError): string[] {
  const code = typeof error.code === "string" ? [error.code] : [];
  return [...code, error.name, error.constructor.name, ...(error instanceof Fault ? [] : ["UNEXPECTED"])];
}
