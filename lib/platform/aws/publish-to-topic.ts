import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";

/** A message of a topic of SNS. */
export interface TopicMessage {
  /** Mail has it as its subject: it is cut to 100 printable ASCII characters. */
  subject: string;
  text: string;
  /** What subscriptions may filter by. */
  attributes: Readonly<Record<string, string>>;
}

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const SUBJECT_CHARACTERS_MAX = 100;

/** Publishes a message. Throws what the SDK throws. */
export async function publishToTopic(
  TopicArn: string,
  { subject, text, attributes }: TopicMessage,
  { sns, signal }: { sns: SNSClient; signal: AbortSignal },
): Promise<void> {
  const Subject = subject
    .replace(/[^\x20-\x7e]/g, "")
    .trim()
    .slice(0, SUBJECT_CHARACTERS_MAX);
  const pairs = Object.entries(attributes).map(
    ([name, StringValue]) => [name, { DataType: "String", StringValue }] as const,
  );
  await sns.send(
    new PublishCommand({ TopicArn, Subject, Message: text, MessageAttributes: Object.fromEntries(pairs) }),
    { abortSignal: signal },
  );
}
