import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Invocation } from "../engine/invocation.ts";
import { call } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import type { Message, Queue } from "./queue.ts";

export interface QueueEvents {
  onSent(queue: Queue, message: Message): void;
  onVisibilityChanged(queue: Queue): void;
}

/** SQS as one invocation's client sees it; a queue's URL is its name. */
export function queueClient(world: World, invocation: Invocation, events: QueueEvents): SQSClient {
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
    const effect = () => {
      const message = queue.send(input.MessageBody ?? "", attributes);
      events.onSent(queue, message);
      return { MessageId: message.id };
    };
    const sent = call(world, invocation, { label: `send ${queue.name}`, effect });
    if (world.mutation.sends === "ignore failures") return sent.catch(() => ({}));
    if (world.mutation.sends !== "answer first") return sent;
    sent.catch(() => undefined);
    return Promise.resolve({});
  };
  const send = (command: unknown): Promise<unknown> => {
    if (command instanceof SendMessageCommand) return sendMessage(command);
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
