import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { type DeadLetter, readDeadLetter } from "#lib/agents/dlq/read-dead-letter.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";

type Ports = Pick<ReplayPorts, "sqs" | "deadLetterQueueUrl">;

/** How long a received message is hidden from others. One whose reader died shows again after it. */
const HOLD_SECONDS = 300;
const BATCH_MAX = 10;
/** A long poll asks every server of the queue, so that one empty answer means empty. */
const WAIT_SECONDS = 1;

/**
 * The messages of a service's DLQ, in batches of up to ten, until it is empty or `limit` were
 * given. Each stays in the queue, hidden, until it is taken out or released.
 */
export async function* receiveDeadLetters(
  service: string,
  limit: number,
  ports: Ports,
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

/** Shows messages to others again, at once. */
export async function releaseDeadLetters(letters: DeadLetter[], ports: Ports): Promise<void> {
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

/** Takes a message out of its DLQ for good. Only after all that it asked for is durable. */
export async function removeDeadLetter({ service, receipt_handle }: DeadLetter, ports: Ports): Promise<void> {
  await ports.sqs.send(
    new DeleteMessageCommand({
      QueueUrl: ports.deadLetterQueueUrl(service),
      ReceiptHandle: receipt_handle,
    }),
  );
}
