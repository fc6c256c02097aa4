import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { BlobStore, BlobTrace } from "#lib/platform/blobs/blobs.ts";
import { Envelope } from "#schemas/messages/envelope.ts";

/** Larger payloads are stored in S3 and sent as a reference (claim check). SQS takes 256 KiB on every endpoint. */
const INLINE_BYTES_MAX = 200_000;

export interface MessagePorts {
  sqs: SQSClient;
  /** With `trace`, written objects store their trace, and the span links to the traces of the objects it reads. */
  blobsOf(tenant: string, trace?: BlobTrace): BlobStore;
}

/**
 * Sends one message. An envelope without a valid trace is refused here (ZodError), so none gets into a queue. On a
 * standard queue `MessageGroupId` names the tenant for SQS fair queues:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 * The message becomes visible after `delay_seconds`, 900 at most.
 */
export async function sendEnvelope(
  queue_url: string,
  message: Envelope,
  ports: MessagePorts,
  delay_seconds = 0,
): Promise<void> {
  const envelope = Envelope.parse(message);
  let body = toBody(envelope);
  if (Buffer.byteLength(body) > INLINE_BYTES_MAX) {
    const { payload, ...rest } = envelope;
    const blobs = ports.blobsOf(envelope.tenant);
    const payload_ref = await blobs.write(JSON.stringify(payload), "application/json");
    body = toBody({ ...rest, payload_ref });
  }
  await ports.sqs.send(
    new SendMessageCommand({
      QueueUrl: queue_url,
      MessageBody: body,
      MessageGroupId: envelope.tenant,
      ...(delay_seconds > 0 && { DelaySeconds: delay_seconds }),
      MessageAttributes: {
        traceparent: { DataType: "String", StringValue: envelope.traceparent },
        ...(envelope.tracestate && {
          tracestate: { DataType: "String", StringValue: envelope.tracestate },
        }),
        tenant: { DataType: "String", StringValue: envelope.tenant },
        task_id: { DataType: "String", StringValue: envelope.task_id },
      },
    }),
  );
}

/**
 * SQS takes only characters of XML 1.0. Of the characters that JSON does not escape, XML 1.0 lacks these two.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
function toBody(envelope: object): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16)}`;
  return JSON.stringify(envelope).replace(/[\ufffe\uffff]/g, escaped);
}

/** The payload, read from S3 when the envelope has a reference instead. */
export async function readPayload(
  envelope: Envelope,
  ports: Pick<MessagePorts, "blobsOf">,
): Promise<unknown> {
  if (!envelope.payload_ref) return envelope.payload;
  return JSON.parse(await ports.blobsOf(envelope.tenant).readText(envelope.payload_ref));
}
