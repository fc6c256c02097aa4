import type { QueueStore } from "./fauxqs-internals.ts";
import type { App } from "./sqs-gaps.ts";

interface Body {
  QueueUrl?: string;
  DelaySeconds?: number;
  MessageAttributes?: Record<string, { StringValue?: string }>;
  Attributes?: Record<string, string>;
  ReceiptHandle?: string;
}

interface Refusal {
  code: string;
  message: string;
}

const DELAY_SECONDS_MAX = 900;
const RECEIVES_MAX = 1000;
const RECEIPT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Codes that SQS's older protocol, which the SDK's error names come from, puts a prefix before. */
const PREFIXED =
  /^AWS\.SimpleQueueService\.(?!NonExistentQueue|MessageNotInflight|UnsupportedOperation|\w*Batch|PurgeQueue|QueueDeleted)/;

/**
 * Refuses what SQS refuses and fauxqs takes, so that it shows up here and not first on AWS, under the names
 * that SQS has for it.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
export function refuseAsSqs(app: App, queues: QueueStore): void {
  app.addHook("preHandler", (request, reply, done) => {
    const action = String(request.headers["x-amz-target"] ?? "").replace("AmazonSQS.", "");
    const body = (request.body ?? {}) as Body;
    // A message whose visibility has ended is nobody's, though nobody has received it since.
    if (action.startsWith("ChangeMessageVisibility")) queues.getQueue(body.QueueUrl ?? "")?.processTimers();
    const refusal = refusalOf(action, body);
    if (!refusal) return done();
    reply.status(400).header("content-type", "application/x-amz-json-1.0");
    reply.header("x-amzn-query-error", `${refusal.code};Sender`);
    reply.send(JSON.stringify({ __type: `com.amazonaws.sqs#${refusal.code}`, message: refusal.message }));
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    const name = reply.getHeader("x-amzn-query-error");
    if (typeof name === "string") reply.header("x-amzn-query-error", name.replace(PREFIXED, ""));
    done();
  });
}

function refusalOf(action: string, body: Body): Refusal | undefined {
  const invalid = (message: string): Refusal => ({ code: "InvalidParameterValue", message });
  if (action === "SendMessage") {
    const { DelaySeconds = 0, MessageAttributes = {} } = body;
    if (DelaySeconds < 0 || DelaySeconds > DELAY_SECONDS_MAX) {
      return invalid(`DelaySeconds is ${DelaySeconds}; it is 0 to ${DELAY_SECONDS_MAX}.`);
    }
    const empty = Object.entries(MessageAttributes).find(([, { StringValue }]) => StringValue === "");
    if (empty) return invalid(`The message attribute ${empty[0]} is empty.`);
  }
  if (action === "CreateQueue" || action === "SetQueueAttributes") {
    const receives = maxReceiveCount(body.Attributes);
    if (receives !== undefined && !(receives >= 1 && receives <= RECEIVES_MAX)) {
      return invalid(`maxReceiveCount is ${receives}; it is 1 to ${RECEIVES_MAX}.`);
    }
  }
  if (action === "DeleteMessage" || action === "ChangeMessageVisibility") {
    if (body.ReceiptHandle && !RECEIPT.test(body.ReceiptHandle)) {
      return { code: "ReceiptHandleIsInvalid", message: "The receipt handle is not valid." };
    }
  }
  return;
}

function maxReceiveCount(attributes: Record<string, string> = {}): number | undefined {
  if (!attributes.RedrivePolicy) return;
  const policy = JSON.parse(attributes.RedrivePolicy) as { maxReceiveCount?: number | string };
  return policy.maxReceiveCount === undefined ? undefined : Number(policy.maxReceiveCount);
}
