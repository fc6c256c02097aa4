import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { buryMessage } from "#lib/agent/bury-message.ts";
import type { Delivery } from "#lib/agent/serve-queue.ts";
import { dispositionOf } from "#lib/errors/disposition-of.ts";
import { Fault, TerminalFault } from "#lib/errors/fault.ts";
import { backoffMs } from "#lib/retry/backoff.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** SQS: 0 to 43,200 s; at least one, for a message that is visible at once is received in a loop. */
const VISIBILITY_SECONDS_MAX = 43_200;

/**
 * `maxReceiveCount` of every queue in serverless.yml: returned once more, SQS would move the
 * message to the DLQ by itself, without a failure record.
 */
export const RECEIVES_MAX = 20;

/** A message that only waits comes back at twice the distance from this receive on, so that waiting does not use them up. */
const PARKED_RECEIVES = 5;

interface Failed extends Omit<Delivery, "envelope" | "span"> {
  service: string;
  envelope: Envelope | undefined;
  error: unknown;
}

/**
 * Decides by the error's disposition what becomes of its message: into the DLQ at once, or back
 * after its back-off. Returns the message's id when SQS must keep it.
 */
export async function settleFailure(failed: Failed): Promise<string | undefined> {
  const { envelope, record, counters, log } = failed;
  const error = lastWord(failed);
  const tenant = envelope?.tenant ?? "unknown";
  const disposition = dispositionOf(error);
  const code = error instanceof Fault ? error.code : "UNEXPECTED";
  counters.count(`messages_${disposition}`, tenant);
  try {
    if (disposition === "terminal" || disposition === "reject") {
      log.error("MESSAGE_DEAD_LETTERED", `message goes to the DLQ: ${String(error)}`, { error_code: code });
      await buryMessage({ ...failed, envelope, error });
      return undefined;
    }
    const delay_ms = delayMs(failed, disposition);
    const level = disposition === "park" ? "info" : "warn";
    log[level]("MESSAGE_RETURNS", `message comes back: ${String(error)}`, {
      error_code: code,
      disposition,
      delay_ms,
      policy_hash: failed.platform.retryPolicy().hash,
    });
    await delayMessage(record, delay_ms, failed);
  } catch (cause) {
    // The message stays in its queue and returns after its visibility timeout.
    log.error("SETTLE_FAILED", `the failure of a message could not be settled: ${String(cause)}`, {
      error_code: code,
    });
  }
  return record.messageId;
}

/** The error, or at the last receive that it was given up because of the error. */
function lastWord({ error, record }: Failed): unknown {
  const final = error instanceof Fault && ["terminal", "reject"].includes(error.disposition);
  if (final || receives(record) < RECEIVES_MAX) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new TerminalFault("RECEIVES_SPENT", `received ${RECEIVES_MAX} times, at last: ${why}`, {
    cause: error,
  });
}

function receives(record: SQSRecord): number {
  return Number(record.attributes.ApproximateReceiveCount);
}

function delayMs(
  { error, envelope, record, platform }: Failed,
  disposition: "retry" | "throttle" | "park",
): number {
  const { runtime } = platform;
  const asked_ms = error instanceof Fault ? error.retry_after_ms : undefined;
  const received = receives(record);
  const delay_ms = asked_ms ?? backoffMs(platform.retryPolicy().value, disposition, received, runtime.random);
  if (disposition !== "park" || !envelope) return delay_ms;
  const patient_ms = delay_ms * 2 ** Math.max(0, received - PARKED_RECEIVES);
  return Math.min(patient_ms, Math.max(delay_ms, Date.parse(envelope.deadline_at) - runtime.now()));
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
