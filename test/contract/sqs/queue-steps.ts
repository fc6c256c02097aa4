import { randomUUID } from "node:crypto";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import type { Queue, QueueWorld } from "../targets/worlds.ts";

/** Sends one message and gives its body. */
export async function send(
  { sqs }: QueueWorld,
  { url }: Queue,
  more: Partial<SendMessageCommandInput> = {},
): Promise<string> {
  const body = more.MessageBody ?? randomUUID();
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, ...more }));
  return body;
}

/** What is visible now, up to ten. */
export async function receive(
  { sqs }: QueueWorld,
  { url }: Queue,
  more: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
      ...more,
    }),
  );
  return Messages;
}

/** The next message, waited for. */
export async function next(world: QueueWorld, queue: Queue, more: object = {}): Promise<Message> {
  const [message] = await receive(world, queue, { MaxNumberOfMessages: 1, WaitTimeSeconds: 20, ...more });
  if (!message) throw new Error("no message came within 20 s");
  return message;
}

export function changeVisibility(
  { sqs }: QueueWorld,
  { url }: Queue,
  { ReceiptHandle }: Message,
  seconds: number,
) {
  return sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: seconds }),
  );
}

export function remove({ sqs }: QueueWorld, { url }: Queue, { ReceiptHandle }: Message) {
  return sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
}

export async function counts({ sqs }: QueueWorld, { url }: Queue) {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages),
    in_flight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed),
  };
}

/** How often a message was received, this time included. */
export const receives = ({ Attributes }: Message) => Number(Attributes?.ApproximateReceiveCount);
