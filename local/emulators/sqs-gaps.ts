import type { buildApp } from "fauxqs";
import type { EmulatedQueue, Persistence, QueueStore } from "./fauxqs-internals.ts";

export type App = ReturnType<typeof buildApp>;

/** Repairs what loses messages: a visibility of 0, and a crash in the middle of a redrive. */
export function closeSqsGaps(queues: QueueStore, persistence: Persistence): void {
  // fauxqs sets the receive count to NULL here, which its own schema refuses after the message left memory.
  const release = persistence.db.prepare(
    "UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?",
  );
  persistence.updateMessageReady = (message_id) => void release.run(message_id);

  const createQueue = queues.createQueue.bind(queues);
  queues.createQueue = (...parameters) => atomicRedrive(createQueue(...parameters), persistence);
}

/** fauxqs deletes from the queue, then inserts into its dead-letter queue: one transaction makes it one move. */
function atomicRedrive(queue: EmulatedQueue, persistence: Persistence): EmulatedQueue {
  const dequeue = queue.dequeue.bind(queue);
  queue.dequeue = (...parameters) => {
    queue.processTimers();
    if (queue.messages.length === 0) return dequeue(...parameters);
    let received: unknown[] = [];
    persistence.transaction(() => {
      received = dequeue(...parameters);
    });
    return received;
  };
  return queue;
}

interface SendBody {
  QueueUrl?: string;
  MessageBody?: string;
  MessageGroupId?: string;
  Entries?: { MessageBody?: string; MessageGroupId?: string }[];
}

/**
 * MessageGroupId on a standard queue (SQS fair queues) is kept and delivered; fauxqs drops it. The
 * fair order itself is not emulated. A send is handled without a pause between this hook and
 * `enqueue`, so the groups noted here belong to the messages enqueued next.
 */
export function keepMessageGroups(app: App, queues: QueueStore): void {
  let noted: { body: string; group: string }[] = [];
  app.addHook("preHandler", (request, _reply, done) => {
    const body = request.body as SendBody | undefined;
    const sends = String(request.headers["x-amz-target"] ?? "").startsWith("AmazonSQS.SendMessage");
    noted = [];
    if (sends && body?.QueueUrl && !queues.getQueue(body.QueueUrl)?.isFifo()) {
      for (const { MessageBody, MessageGroupId } of body.Entries ?? [body]) {
        if (MessageBody !== undefined && MessageGroupId) {
          noted.push({ body: MessageBody, group: MessageGroupId });
        }
      }
    }
    done();
  });

  const createQueue = queues.createQueue.bind(queues);
  queues.createQueue = (...parameters) => {
    const queue = createQueue(...parameters);
    const enqueue = queue.enqueue.bind(queue);
    queue.enqueue = (message) => {
      const index = noted.findIndex(({ body }) => body === message.body);
      const group = noted.splice(index, index < 0 ? 0 : 1)[0]?.group;
      if (group && message.messageGroupId === undefined) message.messageGroupId = group;
      enqueue(message);
    };
    return queue;
  };
}
