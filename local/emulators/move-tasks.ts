import { randomUUID } from "node:crypto";
import type { EmulatedQueue, FauxqsInternals, Persistence, QueueStore } from "./fauxqs-internals.ts";
import type { App } from "./sqs-gaps.ts";

interface MoveTask {
  TaskHandle: string;
  Status: "COMPLETED";
  SourceArn: string;
  DestinationArn?: string;
  MaxNumberOfMessagesPerSecond?: number;
  ApproximateNumberOfMessagesMoved: number;
  ApproximateNumberOfMessagesToMove: number;
  StartedTimestamp: number;
}

interface Body {
  QueueUrl?: string;
  SourceArn?: string;
  DestinationArn?: string;
  MaxNumberOfMessagesPerSecond?: number;
  MaxResults?: number;
}

class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const TASKS_MAX = 10;

/**
 * The dead-letter actions fauxqs lacks. A move is over when its answer arrives, in one transaction;
 * as on AWS, moved messages are new ones (new id, sent time and receive count), and hidden ones stay.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 */
export function serveMoveTasks(
  app: App,
  queues: QueueStore,
  persistence: Persistence,
  internals: FauxqsInternals,
): void {
  const tasks: MoveTask[] = [];
  const actions: Record<string, (body: Body) => unknown> = {
    StartMessageMoveTask(body) {
      const source = deadLetterQueue(queues, body.SourceArn);
      const destination = destinationOf(queues, source, body.DestinationArn);
      source.processTimers();
      const messages = [...source.messages];
      persistence.transaction(() => {
        for (const { messageId, body: text, messageAttributes, messageGroupId } of messages) {
          destination.enqueue(
            internals.SqsStore.createMessage(text, messageAttributes, undefined, messageGroupId),
          );
          persistence.deleteMessage(messageId);
        }
      });
      source.messages.splice(0, messages.length);
      const task: MoveTask = {
        TaskHandle: randomUUID(),
        Status: "COMPLETED",
        SourceArn: source.arn,
        ...(body.DestinationArn ? { DestinationArn: body.DestinationArn } : {}),
        ...(body.MaxNumberOfMessagesPerSecond
          ? { MaxNumberOfMessagesPerSecond: body.MaxNumberOfMessagesPerSecond }
          : {}),
        ApproximateNumberOfMessagesMoved: messages.length,
        ApproximateNumberOfMessagesToMove: messages.length,
        StartedTimestamp: Date.now(),
      };
      tasks.unshift(task);
      tasks.length = Math.min(tasks.length, TASKS_MAX);
      return { TaskHandle: task.TaskHandle };
    },
    ListMessageMoveTasks(body) {
      const source = deadLetterQueue(queues, body.SourceArn);
      const results = tasks.filter((task) => task.SourceArn === source.arn);
      return { Results: results.slice(0, body.MaxResults ?? 1).map(({ TaskHandle: _, ...task }) => task) };
    },
    CancelMessageMoveTask() {
      throw new Refused(
        "UnsupportedOperation",
        "Only running tasks can be canceled; here a move is instant.",
      );
    },
    ListDeadLetterSourceQueues(body) {
      const queue = queues.getQueue(body.QueueUrl ?? "");
      if (!queue) throw new Refused("QueueDoesNotExist", "The specified queue does not exist.");
      return { queueUrls: sourcesOf(queues, queue).map(({ url }) => url) };
    },
  };

  app.addHook("preHandler", (request, reply, done) => {
    const action = actions[String(request.headers["x-amz-target"] ?? "").replace("AmazonSQS.", "")];
    if (!action) return done();
    reply.header("content-type", "application/x-amz-json-1.0");
    try {
      reply.send(JSON.stringify(action(request.body as Body)));
    } catch (error) {
      if (!(error instanceof Refused)) return done(error as Error);
      reply.header("x-amzn-query-error", `${error.code};Sender`).status(400);
      reply.send(JSON.stringify({ __type: `com.amazonaws.sqs#${error.code}`, message: error.message }));
    }
  });
}

function deadLetterTarget(queue: EmulatedQueue): string | undefined {
  const policy = queue.attributes.RedrivePolicy;
  return policy ? (JSON.parse(policy) as { deadLetterTargetArn?: string }).deadLetterTargetArn : undefined;
}

function sourcesOf(queues: QueueStore, queue: EmulatedQueue): EmulatedQueue[] {
  return [...queues.allQueues()].filter((candidate) => deadLetterTarget(candidate) === queue.arn);
}

function deadLetterQueue(queues: QueueStore, arn: string | undefined): EmulatedQueue {
  const queue = queues.getQueueByArn(arn ?? "");
  if (!queue)
    throw new Refused("ResourceNotFoundException", "The resource that you specified does not exist.");
  if (sourcesOf(queues, queue).length === 0) {
    throw new Refused("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.");
  }
  return queue;
}

function destinationOf(queues: QueueStore, source: EmulatedQueue, arn: string | undefined): EmulatedQueue {
  const candidates = arn ? [queues.getQueueByArn(arn)] : sourcesOf(queues, source);
  const [destination] = candidates;
  if (!destination) throw new Refused("ResourceNotFoundException", "The destination does not exist.");
  if (candidates.length > 1) {
    throw new Refused(
      "InvalidParameterValue",
      "Several queues share this dead-letter queue and their messages are not told apart here: name DestinationArn.",
    );
  }
  return destination;
}
