import { CreateQueueCommand, SetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";

const ATTRIBUTES = [
  "DelaySeconds",
  "FifoQueue",
  "ContentBasedDeduplication",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "ReceiveMessageWaitTimeSeconds",
  "RedrivePolicy",
  "SqsManagedSseEnabled",
  "VisibilityTimeout",
];

/** Creates the queue or brings the attributes of an existing one up to date; its messages stay. */
export async function createQueue(
  client: SQSClient,
  name: string,
  properties: Record<string, unknown>,
): Promise<void> {
  const attributes: Record<string, string> = {};
  for (const key of ATTRIBUTES) {
    const value = properties[key];
    if (value !== undefined) {
      attributes[key] = typeof value === "object" ? JSON.stringify(value) : String(value);
    }
  }
  const { QueueUrl } = await client.send(
    // Only what cannot change later: other attributes would make an existing queue conflict.
    new CreateQueueCommand({
      QueueName: name,
      Attributes: attributes.FifoQueue ? { FifoQueue: attributes.FifoQueue } : {},
    }),
  );
  const { FifoQueue: _, ...changeable } = attributes;
  if (changeable.RedrivePolicy === undefined) changeable.RedrivePolicy = "";
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: changeable }));
}
