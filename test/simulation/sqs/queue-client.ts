import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Invocation } from "../engine/invocation.ts";
import { call } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import type { Message, Queue } from "./queue.ts";

const DELAY_SECONDS_MAX = 900;

export interface QueueEvents {
  onSent(queue: Queue, message: Message): void;
  onVisibilityChanged(queue: Queue): void;
}

/** SQS as one invocation's client sees it; a queue's URL is its name. */
export function queueClient(world: World, invocation: Invocation, events: QueueEvents): SQSClient {
  const { mutation } = world;
  const queueOf = (url: string | undefined): Queue => {
    const queue = world.queues.get(url ?? "");
    if (!queue) throw new TypeError(`there is no queue ${url}`);
    return queue;
  };
  const sendMessage = ({ input }: SendMessageCommand) => {
    const queue = queueOf(input.QueueUrl);
    const attributes = Object.fromEntries(
      Object.entries(input.MessageAttributes ?? {}).map(([name, { StringValue = "" }]) => [
        name,
        StringValue,
      ]),
    );
    const sending = mutation.sending?.(queue.name) ?? "as it is";
    if (sending === "dropped") return Promise.resolve({});
    const body = mutation.body?.(input.MessageBody ?? "") ?? input.MessageBody ?? "";
    const effect = () => {
      const { DelaySeconds = 0 } = input;
      if (DelaySeconds > DELAY_SECONDS_MAX) throw new TypeError(`SQS delays no message by ${DelaySeconds} s`);
      const message = queue.send(body, attributes, DelaySeconds);
      events.onSent(queue, message);
      return { MessageId: message.id };
    };
    const sent = call(world, invocation, { label: `send ${queue.name}`, effect });
    if (sending === "failures ignored") return sent.catch(() => ({}));
    if (sending !== "answered first") return sent;
    sent.catch(() => undefined);
    return Promise.resolve({});
  };
  const readOrEmpty = readerOf(world, queueOf);
  const send = (command: unknown): Promise<unknown> => {
    if (command instanceof SendMessageCommand) return sendMessage(command);
    const operation = readOrEmpty(command);
    if (operation) return call(world, invocation, operation);
    if (!(command instanceof ChangeMessageVisibilityCommand)) {
      throw new TypeError(`the simulated SQS does not know ${command?.constructor.name}`);
    }
    const { QueueUrl, ReceiptHandle = "", VisibilityTimeout = 0 } = command.input;
    const queue = queueOf(QueueUrl);
    const effect = () => {
      // A stale receipt is answered with an error by SQS; the message stays as it is.
      if (!queue.changeVisibility(ReceiptHandle, VisibilityTimeout)) throw new Error("MessageNotInflight");
      events.onVisibilityChanged(queue);
      return {};
    };
    return call(world, invocation, { label: `change visibility ${queue.name}`, effect });
  };
  return { send } as unknown as SQSClient;
}

/** The operations of code that reads a queue by itself, as the sweep of a dead-letter queue does. */
function readerOf(world: World, queueOf: (url: string | undefined) => Queue) {
  return (command: unknown): { label: string; effect: () => unknown } | undefined => {
    if (command instanceof ReceiveMessageCommand) {
      const { MaxNumberOfMessages = 1, VisibilityTimeout = 30 } = command.input;
      const queue = queueOf(command.input.QueueUrl);
      const effect = () => {
        const batch = queue.receive(MaxNumberOfMessages, () => undefined);
        for (const { receipt } of batch) queue.changeVisibility(receipt, VisibilityTimeout);
        return { Messages: batch.map(received) };
      };
      return { label: `receive ${queue.name}`, effect };
    }
    if (command instanceof DeleteMessageCommand) {
      const { QueueUrl, ReceiptHandle = "" } = command.input;
      const queue = queueOf(QueueUrl);
      const effect = () => {
        if (queue.acknowledge(idOf(ReceiptHandle), ReceiptHandle)) world.count("dead letters removed");
        return {};
      };
      return { label: `delete ${queue.name}`, effect };
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      const queue = queueOf(QueueUrl);
      const effect = () => {
        for (const { ReceiptHandle = "", VisibilityTimeout = 0 } of Entries) {
          queue.changeVisibility(ReceiptHandle, VisibilityTimeout);
        }
        return {};
      };
      return { label: `change visibilities ${queue.name}`, effect };
    }
    if (!(command instanceof GetQueueAttributesCommand)) return undefined;
    const queue = queueOf(command.input.QueueUrl);
    const effect = () => ({
      Attributes: {
        ApproximateNumberOfMessages: String(queue.messages.size),
        ApproximateNumberOfMessagesNotVisible: "0",
        ApproximateNumberOfMessagesDelayed: "0",
      },
    });
    return { label: `count ${queue.name}`, effect };
  };
}

const idOf = (receipt: string) => receipt.split("/")[0] ?? "";

function received({ id, body, receipt, receives, sent_at, attributes }: Message) {
  return {
    MessageId: id,
    ReceiptHandle: receipt,
    Body: body,
    Attributes: { ApproximateReceiveCount: String(receives), SentTimestamp: String(sent_at) },
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
    ),
  };
}
