import type { Message } from "@aws-sdk/client-sqs";
import { Envelope } from "#schemas/messages/envelope.ts";

/** One message of a DLQ, in the hands of whoever received it. */
export interface DeadLetter {
  service: string;
  receipt_handle: string;
  sqs_message_id: string;
  body: string;
  /** Undefined when the body is none. */
  envelope: Envelope | undefined;
  tenant: string;
  /** Names its failure: of its failure record, or `native#…` where SQS moved it and there is none. */
  failure_id: string;
  /** SQS moved it after `maxReceiveCount` receives: its worker died each time and could say nothing. */
  native: boolean;
  code: string | undefined;
  receives: number;
  sent_at_ms: number;
}

/** What SQS gave, as a dead letter of `service`. */
export function readDeadLetter(service: string, message: Message): DeadLetter {
  const { Body: body = "", MessageId: sqs_message_id = "", ReceiptHandle: receipt_handle = "" } = message;
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue;
  const envelope = readEnvelope(body);
  const named = attribute("failure_id");
  // A message that was moved back by SQS and died again still carries the name of its failure before.
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

function readEnvelope(body: string): Envelope | undefined {
  try {
    return Envelope.parse(JSON.parse(body));
  } catch {
    return undefined; // said by the failure record; here it only means that there is no envelope
  }
}
