import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  type Message as ReceivedMessage,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { type Message, makeQueue, type Queue } from "../../simulation/sqs/queue.ts";
import { queueClient } from "../../simulation/sqs/queue-client.ts";
import type { QuietWorld } from "./quiet-world.ts";
import type { QueueWorld } from "./worlds.ts";

/** Handlers only send and change visibilities; receiving is what test/simulation/sqs/event-source.ts does of a queue. */
export function simulatedQueues(quiet: QuietWorld): QueueWorld {
  const { world, invocation, played, elapse } = quiet;
  const dead_letter_queues = new Map<string, string>();
  const events = { onSent: () => undefined, onVisibilityChanged: () => undefined };
  const handlers = played(queueClient(world, invocation, events));
  const queueOf = (url = ""): Queue => {
    const queue = world.queues.get(url);
    if (!queue) throw new TypeError(`there is no queue ${url}`);
    return queue;
  };
  const receive = async ({ input }: ReceiveMessageCommand) => {
    const queue = queueOf(input.QueueUrl);
    const next = queue.nextVisibleAt() ?? Number.POSITIVE_INFINITY;
    const wait_ms = Math.min((input.WaitTimeSeconds ?? 0) * 1000, Math.max(0, next - world.scheduler.now()));
    if (wait_ms > 0) await elapse(wait_ms / 1000);
    const redrive = (message: Message) =>
      void queueOf(dead_letter_queues.get(queue.name)).send(message.body, message.attributes);
    const batch = queue.receive(input.MaxNumberOfMessages ?? 1, redrive);
    if (input.VisibilityTimeout !== undefined) {
      for (const { receipt } of batch) queue.changeVisibility(receipt, input.VisibilityTimeout);
    }
    return { Messages: batch.map(received) };
  };
  const remove = (url: string | undefined, receipt = "") =>
    void queueOf(url).acknowledge(receipt.split("/")[0] ?? "", receipt);
  const send = async (command: unknown) => {
    if (command instanceof ReceiveMessageCommand) return receive(command);
    if (command instanceof DeleteMessageCommand) {
      remove(command.input.QueueUrl, command.input.ReceiptHandle);
      return {};
    }
    if (command instanceof DeleteMessageBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      for (const { ReceiptHandle } of Entries) remove(QueueUrl, ReceiptHandle);
      return { Successful: Entries.map(({ Id }) => ({ Id })) };
    }
    return handlers.send(command as never);
  };
  return {
    sqs: { send } as unknown as SQSClient,
    elapse,
    close: async () => undefined,
    async queue({ VisibilityTimeout = "30", RedrivePolicy } = {}) {
      const name = `queue-${world.queues.size}`;
      const redrive = RedrivePolicy && JSON.parse(RedrivePolicy);
      if (redrive) dead_letter_queues.set(name, redrive.deadLetterTargetArn);
      const settings = {
        name,
        visibility_ms: Number(VisibilityTimeout) * 1000,
        receives_max: redrive?.maxReceiveCount,
      };
      world.queues.set(name, makeQueue(settings, world.scheduler.now, world.random));
      return { url: name, arn: name };
    },
  };
}

function received(message: Message): ReceivedMessage {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    Attributes: {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: String(message.sent_at),
      ApproximateFirstReceiveTimestamp: String(message.first_received_at),
    },
    MessageAttributes: Object.fromEntries(
      Object.entries(message.attributes).map(([name, StringValue]) => [
        name,
        { DataType: "String", StringValue },
      ]),
    ),
  };
}
