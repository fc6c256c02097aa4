import { createHash } from "node:crypto";
import { z } from "zod";
import { Fault } from "#lib/platform/errors/fault.ts";
import { outwardText } from "#lib/platform/errors/outward-text.ts";
import { describeIssues } from "#schemas/issue-sentence.ts";

export interface FailureFacts {
  code: string;
  message: string;
  cause_chain: string[];
}

const CAUSES_MAX = 10;
const CAUSE_CHARACTERS_MAX = 1000;

/** An error as plain facts: stable code, sentence, and the chain of causes (outermost first), as `outwardText` has them. */
export function failureFacts(error: unknown): FailureFacts {
  const cause_chain: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && cause_chain.length < CAUSES_MAX) {
    cause_chain.push(outwardText(sentenceOf(cause), CAUSE_CHARACTERS_MAX));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return {
    code: error instanceof Fault ? error.code : "UNEXPECTED",
    message: outwardText(error instanceof Error ? error.message : String(error)),
    cause_chain,
  };
}

/** Groups failures of one kind: the same service, code and root cause, with numbers and ids blanked. */
export function fingerprint(service: string, { code, message, cause_chain }: FailureFacts): string {
  const root = (cause_chain.at(-1) ?? message).replace(/[0-9a-f]{8,}|\d+/gi, "#");
  return createHash("sha256").update(`${service}\n${code}\n${root}`).digest("hex");
}

function sentenceOf(cause: unknown): string {
  if (cause instanceof z.ZodError) return describeIssues(cause);
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
