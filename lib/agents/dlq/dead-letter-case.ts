import { readFailure } from "#lib/agents/dlq/failure-store.ts";
import type { DeadLetter } from "#lib/agents/dlq/read-dead-letter.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { faultOf } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";

/** A dead letter joined with its failure record. */
export interface DeadLetterCase {
  letter: DeadLetter;
  /** The message's own id, or SQS's where the message cannot be read. */
  id: string;
  code: string;
  message: string;
  fingerprint: string;
  first_at: string;
  last_at: string;
  failure: FailureRecord | undefined;
}

/** Joins a letter with why it died. One that SQS moved itself has no record: its code is `NATIVE_REDRIVE`. */
export async function readCase(letter: DeadLetter, ports: ReplayPorts): Promise<DeadLetterCase> {
  const failure = letter.native ? undefined : await readFailure(letter.tenant, letter.failure_id, ports);
  const id = letter.envelope?.message_id ?? letter.sqs_message_id;
  if (failure) {
    const { code, message, first_at, last_at } = failure;
    return { letter, id, code, message, fingerprint: failure.fingerprint, first_at, last_at, failure };
  }
  const facts = failureFacts(
    faultOf("terminal", letter.code ?? ("NATIVE_REDRIVE" satisfies ErrorCode), unrecorded(letter)),
  );
  const at = instant(letter.sent_at_ms);
  return {
    letter,
    id,
    code: facts.code,
    message: facts.message,
    fingerprint: fingerprint(letter.service, facts),
    first_at: at,
    last_at: at,
    failure,
  };
}

function unrecorded({ native }: DeadLetter): string {
  return native
    ? "SQS moved it here after too many receives: its worker died each time before it could say why"
    : "its failure record is gone: records are kept for 30 days";
}
