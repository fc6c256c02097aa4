import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import type { IncomingMessage, ReceivedMessage } from "#lib/agents/agent/message.ts";
import { policyOf } from "#lib/agents/agent/record-outcome.ts";
import { deadLetter, messageFailureId, stepFailureId } from "#lib/agents/dlq/failure-store.ts";
import { dispositionOf, isServiceUnavailable } from "#lib/platform/errors/disposition-of.ts";
import { failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { type Disposition, Fault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { forwardMessage } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { backoffMs } from "#lib/resilience/retry/backoff.ts";
import { requestedTime } from "#lib/resilience/retry/decide-retry.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/**
 * SQS: 12 hours from the receive on, of which an invocation has used up to 15 minutes; at least a second,
 * for a message that is visible at once is received in a loop.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 */
const VISIBILITY_SECONDS_MAX = 43_200 - 900;

/**
 * `maxReceiveCount` of every queue in serverless.yml: returned once more, SQS would move the
 * message to the DLQ by itself, without a failure record.
 */
export const RECEIVES_MAX = 20;

/** From this receive on, a message that only waits is replaced by a successor, so that waiting does not use up the receives. */
const WAITS_MAX = 10;

interface Failed
  extends Pick<IncomingMessage, "service" | "record" | "platform" | "counters" | "log" | "lambda"> {
  envelope: Envelope | undefined;
  error: unknown;
  /** The message's span; absent when the message could not be read. */
  span?: TraceContext;
}

/** `bury`: sent to the DLQ. `return`: left to SQS, which delivers it again. `forward`: replaced by a successor, then acknowledged. */
type Settlement = "bury" | "return" | "forward";

/**
 * Decides by the error's disposition whether the message is dead-lettered, delivered again or forwarded. Returns
 * the message's id when SQS must keep it.
 */
export async function settleFailure(failed: Failed): Promise<string | undefined> {
  const { envelope, record, counters, log, platform } = failed;
  const disposition = dispositionOf(failed.error, policyOf(failed, failed.error).dispositions);
  const settlement = settle(failed, disposition);
  const spent = settlement === "bury" && disposition !== "terminal" && disposition !== "reject";
  const error = spent ? receivesSpent(failed.error) : failed.error;
  const error_code = error instanceof Fault ? error.code : "UNEXPECTED";
  counters.count(`messages_${spent ? "terminal" : disposition}`, envelope?.tenant ?? "unknown");
  try {
    if (settlement === "bury") {
      log.error("MESSAGE_DEAD_LETTERED", `message sent to the DLQ: ${String(error)}`, { error_code });
      await buryMessage({ ...failed, envelope, error });
      return undefined;
    }
    const delay_ms = delayMs(failed, disposition);
    const event = settlement === "forward" ? "MESSAGE_PARKED" : "MESSAGE_RETURNS";
    log[disposition === "park" ? "info" : "warn"](
      event,
      `message will be delivered again: ${String(error)}`,
      {
        error_code,
        disposition,
        delay_ms,
        policy_hash: platform.retryPolicy().hash,
      },
    );
    if (settlement === "forward" && envelope && failed.span) {
      await forwardMessage(envelope, delay_ms, failed.span, platform);
      return undefined;
    }
    await delayMessage(record, delay_ms, failed);
  } catch (cause) {
    // The message stays in its queue and becomes visible after its visibility timeout.
    log.error("SETTLE_FAILED", `the failure of a message could not be settled: ${String(cause)}`, {
      error_code,
    });
  }
  return record.messageId;
}

/**
 * A message that waits for a dependency is replaced by a successor, whose receive count starts at 0, so an outage
 * of any length does not use up the receives. The same is done at the last receive when the step's attempts are
 * counted in the ledger or a service is unavailable. Any other message at its last receive goes to the DLQ.
 */
function settle({ error, envelope, record, platform }: Failed, disposition: Disposition): Settlement {
  if (disposition === "terminal" || disposition === "reject") return "bury";
  const received = receives(record);
  const ends = envelope === undefined || platform.runtime.now() >= Date.parse(envelope.deadline_at);
  if (ends) return received >= RECEIVES_MAX ? "bury" : "return";
  if (disposition === "park") {
    const brief = error instanceof Fault && error.code === "STEP_IN_PROGRESS";
    return brief && received < WAITS_MAX ? "return" : "forward";
  }
  if (received < RECEIVES_MAX) return "return";
  const counted = error instanceof Fault && error.decided;
  return counted || isServiceUnavailable(error) ? "forward" : "bury";
}

function receivesSpent(error: unknown): TerminalFault {
  const why = error instanceof Error ? error.message : String(error);
  return new TerminalFault("RECEIVES_SPENT", `received ${RECEIVES_MAX} times, at last: ${why}`, {
    cause: error,
  });
}

function receives(record: SQSRecord): number {
  return Number(record.attributes.ApproximateReceiveCount);
}

function delayMs(failed: Failed, disposition: Disposition): number {
  const { error, record, platform } = failed;
  const { runtime } = platform;
  const now = runtime.now();
  const asked_ms = requestedTime(error, now);
  if (asked_ms !== undefined) return Math.max(0, asked_ms - now);
  const slowly = disposition === "park" ? "throttle" : disposition;
  return backoffMs(policyOf(failed, error), slowly, receives(record), runtime.random);
}

async function delayMessage(
  record: SQSRecord,
  delay_ms: number,
  { platform, service }: Failed,
): Promise<void> {
  const seconds = Math.min(VISIBILITY_SECONDS_MAX, Math.max(1, Math.ceil(delay_ms / 1000)));
  await platform.sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: platform.queueUrl(service),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}

interface Burial extends Pick<ReceivedMessage, "record" | "platform" | "lambda"> {
  service: string;
  envelope: Envelope | undefined;
  error: unknown;
  /** Replays of the step that failed; absent when the message failed before its step was claimed. */
  replay_count?: number;
  /** Attempts of that step. */
  attempts?: number;
}

/** Writes the failure record and sends the message to its service's DLQ. Safe to repeat. */
export async function buryMessage(burial: Burial): Promise<void> {
  const { service, record, platform, lambda, envelope, error, replay_count, attempts = 0 } = burial;
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
      ...(replay_count && { replay_count }),
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

function failureId({ envelope, record, replay_count }: Burial): string {
  if (!envelope) return record.messageId;
  return replay_count === undefined
    ? messageFailureId(envelope)
    : stepFailureId(envelope.idempotency_key, replay_count);
}
