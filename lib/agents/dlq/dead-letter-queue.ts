import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { Envelope } from "#schemas/messages/envelope.ts";

/** The dependencies of a replay. */
export interface ReplayPorts extends SendPorts {
  table: TableClient;
  table_name: string;
  artifacts(): Loaded<ArtifactsConfig>;
  retryPolicy(): Loaded<RetryPolicyConfig>;
  deadLetterQueueUrl(service: string): string;
}

/** One received message of a DLQ, with the receipt handle to delete or release it. */
export interface DeadLetter {
  service: string;
  receipt_handle: string;
  sqs_message_id: string;
  body: string;
  /** Undefined when the body is not an envelope. */
  envelope: Envelope | undefined;
  tenant: string;
  /** Id of its failure record, or `native#…` when SQS moved the message and there is no record. */
  failure_id: string;
  /** True when SQS moved it after `maxReceiveCount` receives: the worker died each time and recorded no failure. */
  native: boolean;
  code: string | undefined;
  receives: number;
  /** Unix ms; when it was sent into the queue it failed in first, where SQS moved it. */
  sent_at_ms: number;
}

/** Converts a message received from the DLQ of `service`. */
function readDeadLetter(service: string, message: Message): DeadLetter {
  const { Body: body = "", MessageId: sqs_message_id = "", ReceiptHandle: receipt_handle = "" } = message;
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue;
  const envelope = readEnvelope(body);
  const named = attribute("failure_id");
  // A message that SQS moved back and that failed again still has the failure id of its earlier failure.
  const native = named === undefined || message.Attributes?.DeadLetterQueueSourceArn !== undefined;
  return {
    service,
    receipt_handle,
    sqs_message_id,
    body,
    envelope,
    tenant: envelope?.tenant ?? attribute("tenant") ?? "unknown",
    failure_id: native ? `native#${sqs_message_id}` : named,
    native,
    code: native ? undefined : attribute("code"),
    receives: Number(message.Attributes?.ApproximateReceiveCount ?? 0),
    sent_at_ms: Number(message.Attributes?.SentTimestamp ?? 0),
  };
}

/** The envelope of a message; undefined when its body is none. */
export function readEnvelope(body: string): Envelope | undefined {
  try {
    return Envelope.parse(JSON.parse(body));
  } catch {
    return undefined; // the failure record has the reason; here it only means that there is no envelope
  }
}

type QueuePorts = Pick<ReplayPorts, "sqs" | "deadLetterQueueUrl">;

/** Visibility timeout of a received message. If its reader dies, the message becomes visible again after it. */
const HOLD_SECONDS = 300;
const BATCH_MAX = 10;
/** A long poll queries every server of the queue, so one empty response means that the queue is empty. */
const WAIT_SECONDS = 1;

/**
 * Receives the messages of a service's DLQ in batches of up to ten, until it is empty or `limit` messages were
 * received. Each stays in the queue, invisible, until it is removed or released.
 */
export async function* receiveDeadLetters(
  service: string,
  limit: number,
  ports: QueuePorts,
): AsyncGenerator<DeadLetter[]> {
  const seen = new Set<string>();
  while (seen.size < limit) {
    const { Messages = [] } = await ports.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: ports.deadLetterQueueUrl(service),
        MaxNumberOfMessages: Math.min(BATCH_MAX, limit - seen.size),
        VisibilityTimeout: HOLD_SECONDS,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    const letters = Messages.map((message) => readDeadLetter(service, message));
    const fresh = letters.filter(({ sqs_message_id }) => !seen.has(sqs_message_id));
    if (fresh.length === 0) return;
    for (const { sqs_message_id } of fresh) seen.add(sqs_message_id);
    yield fresh;
  }
}

/** Makes messages visible again at once. */
export async function releaseDeadLetters(letters: DeadLetter[], ports: QueuePorts): Promise<void> {
  for (let start = 0; start < letters.length; start += BATCH_MAX) {
    const batch = letters.slice(start, start + BATCH_MAX);
    for (const service of new Set(batch.map((letter) => letter.service))) {
      const entries = batch.filter((letter) => letter.service === service);
      await ports.sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: ports.deadLetterQueueUrl(service),
          Entries: entries.map(({ receipt_handle }, index) => ({
            Id: String(index),
            ReceiptHandle: receipt_handle,
            VisibilityTimeout: 0,
          })),
        }),
      );
    }
  }
}

/** Deletes a message from its DLQ. Call it only after the effects of its replay are durable. */
export async function removeDeadLetter(
  { service, receipt_handle }: DeadLetter,
  ports: QueuePorts,
): Promise<void> {
  await ports.sqs.send(
    new DeleteMessageCommand({
      QueueUrl: ports.deadLetterQueueUrl(service),
      ReceiptHandle: receipt_handle,
    }),
  );
}
