import type { ReceivedMessage } from "#lib/agents/agent/message.ts";
import { deadLetter } from "#lib/agents/dlq/dead-letter.ts";
import { messageFailureId, stepFailureId } from "#lib/agents/dlq/failure-id.ts";
import { failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

interface Burial extends Pick<ReceivedMessage, "record" | "platform" | "lambda"> {
  service: string;
  envelope: Envelope | undefined;
  error: unknown;
  /** Of the step that failed; absent when the message did not get that far. */
  generation?: number;
  /** Tries of that step. */
  attempts?: number;
}

/** Writes the failure record and sends the message to its service's DLQ; safe to repeat. */
export async function buryMessage(burial: Burial): Promise<void> {
  const { service, record, platform, lambda, envelope, error, generation, attempts = 0 } = burial;
  const facts = failureFacts(error);
  const first_ms = Number(record.attributes.ApproximateFirstReceiveTimestamp) || platform.runtime.now();
  await deadLetter(
    {
      message_id: envelope?.message_id ?? record.messageId,
      tenant: envelope?.tenant ?? "unknown",
      service,
      task_id: envelope?.task_id,
      step: envelope?.step,
      round: envelope?.round,
      trace_id: envelope?.trace_id,
      idempotency_key: envelope?.idempotency_key,
      ...facts,
      fingerprint: fingerprint(service, facts),
      attempts,
      receives: Number(record.attributes.ApproximateReceiveCount),
      first_at: instant(first_ms),
      last_at: instant(platform.runtime.now()),
      function_name: lambda.functionName,
      request_id: lambda.awsRequestId,
      policy_hash: platform.retryPolicy().hash,
      ...(generation && { replay_count: generation }),
      body: record.body,
    },
    failureId(burial),
    record.body,
    {
      table: platform.table,
      table_name: platform.settings.table_name,
      sqs: platform.sqs,
      dead_letter_queue_url: platform.deadLetterQueueUrl(service),
    },
  );
}

function failureId({ envelope, record, generation }: Burial): string {
  if (!envelope) return record.messageId;
  return generation === undefined
    ? messageFailureId(envelope)
    : stepFailureId(envelope.idempotency_key, generation);
}
