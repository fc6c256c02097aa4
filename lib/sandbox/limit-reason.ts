import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";

const DENIALS: readonly string[] = ["SANDBOX_NETWORK_DENIED", "SANDBOX_PATH_DENIED"];

/** One sentence for a person: what of `subject` (for example "the build") met which limit. */
export function limitReason(subject: string, { code, evidence }: LimitHit): string {
  return DENIALS.includes(code)
    ? `${subject} reached for what the sandbox denies: ${evidence}`
    : `${subject} exceeded a limit of the sandbox: ${evidence}`;
}
