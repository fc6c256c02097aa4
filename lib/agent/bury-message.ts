import type { Delivery } from "#lib/agent/serve-queue.ts";
import { deadLetter } from "#lib/dlq/dead-letter.ts";
import { failureFacts, fingerprint } from "#lib/dlq/failure.ts";
import { instant } from "#lib/runtime/runtime.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

interface Burial extends Pick<Delivery, "record" | "platform" | "lambda"> {
  service: string;
  envelope: Envelope | undefined;
  error: unknown;
  attempts?: number;
}

/** Writes the failure record and sends the message to its service's DLQ; safe to repeat. */
export async function buryMessage({ service, record, platform, lambda, envelope, error, attempts }: Burial) {
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
      attempts: attempts ?? Number(record.attributes.ApproximateReceiveCount),
      first_at: instant(first_ms),
      last_at: instant(platform.runtime.now()),
      function_name: lambda.functionName,
      request_id: lambda.awsRequestId,
      policy_hash: platform.retryPolicy().hash,
      body: record.body,
    },
    failureId(envelope) ?? record.messageId,
    record.body,
    {
      table: platform.table,
      table_name: platform.settings.table_name,
      sqs: platform.sqs,
      dead_letter_queue_url: platform.deadLetterQueueUrl(service),
    },
  );
}

/** One failure a step and replay: copies of the same message fail once, a replay may fail anew. */
function failureId(envelope: Envelope | undefined): string | undefined {
  return envelope && [envelope.idempotency_key, envelope.replay_of].filter(Boolean).join("#");
}
