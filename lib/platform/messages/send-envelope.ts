import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { BlobStore, BlobTrace } from "#lib/platform/blobs/blobs.ts";
import { Envelope } from "#schemas/messages/envelope.ts";

/** Payloads larger than this travel by claim check; SQS itself takes 256 KiB on every endpoint. */
const INLINE_BYTES_MAX = 200_000;

export interface MessagePorts {
  sqs: SQSClient;
  /** With `trace`, objects written name their trace, and spans link to the traces of objects read. */
  blobsOf(tenant: string, trace?: BlobTrace): BlobStore;
}

/**
 * Sends one message. An envelope without a valid trace is refused here (ZodError), so none is ever
 * in a queue. `MessageGroupId` on a standard queue is what SQS fair queues share by:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 * It is visible after `delay_seconds`, 900 at most.
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
 * SQS takes only characters that XML 1.0 has, which of those that JSON leaves as they are lack these two.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
function toBody(envelope: object): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16)}`;
  return JSON.stringify(envelope).replace(/[\ufffe\uffff]/g, escaped);
}

/** The payload itself, fetched by its claim check when it has one. */
export async function readPayload(
  envelope: Envelope,
  ports: Pick<MessagePorts, "blobsOf">,
): Promise<unknown> {
  if (!envelope.payload_ref) return envelope.payload;
  return JSON.parse(await ports.blobsOf(envelope.tenant).readText(envelope.payload_ref));
}
