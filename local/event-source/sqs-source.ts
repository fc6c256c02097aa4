import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

/** The queue end of an event source. */
export interface MessageSource {
  /** Up to `count` messages (10 at most), waiting up to `wait_seconds` (20 at most) for the first. */
  receive(count: number, wait_seconds: number, signal: AbortSignal): Promise<Message[]>;
  /** @throws when a message could not be deleted; it will be delivered again. */
  delete(messages: Message[]): Promise<void>;
}

const BATCH_MAX = 10;

export function sqsSource(client: SQSClient, queue_url: string): MessageSource {
  return {
    async receive(count, wait_seconds, signal) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queue_url,
          MaxNumberOfMessages: Math.min(count, BATCH_MAX),
          WaitTimeSeconds: wait_seconds,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        }),
        { abortSignal: signal },
      );
      return Messages;
    },
    async delete(messages) {
      for (let start = 0; start < messages.length; start += BATCH_MAX) {
        const Entries = messages
          .slice(start, start + BATCH_MAX)
          .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
        const { Failed = [] } = await client.send(
          new DeleteMessageBatchCommand({ QueueUrl: queue_url, Entries }),
        );
        const [failure] = Failed;
        if (failure) throw new Error(`A message was not deleted: ${failure.Code} ${failure.Message ?? ""}`);
      }
    },
  };
}
