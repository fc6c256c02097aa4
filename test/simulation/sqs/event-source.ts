import type { Context, SQSBatchResponse, SQSHandler, SQSRecord } from "aws-lambda";
import { batchResult } from "../../../local/event-source/batch-result.ts";
import type { Invocation } from "../engine/invocation.ts";
import { kill } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import type { Message, Queue } from "./queue.ts";

export interface EventSourcePorts {
  batch_size: number;
  concurrency: number;
  timeout_ms: number;
  /** A handler for one invocation, over its own platform. */
  handlerOf(invocation: Invocation): SQSHandler;
  start(service: string, timeout_ms: number): Invocation;
  onAcknowledged(message: Message, invocation: Invocation): void;
  onRedriven(message: Message): void;
}

export interface EventSource {
  /** Something may have become visible. */
  wake(): void;
}

/** Feeds a queue to a function as Lambda does: batches, limited concurrency, partial batch responses. */
export function eventSource(world: World, queue: Queue, ports: EventSourcePorts): EventSource {
  const { scheduler, random } = world;
  const running = new Set<Invocation>();
  let next_poll = Number.POSITIVE_INFINITY;

  const wake = () => {
    const visible_at = queue.nextVisibleAt();
    if (visible_at === undefined) return;
    const at = Math.max(visible_at, scheduler.now()) + random.int(1, 10);
    if (at >= next_poll) return;
    next_poll = at;
    scheduler.after(at - scheduler.now(), `poll ${queue.name}`, () => {
      if (at !== next_poll) return;
      next_poll = Number.POSITIVE_INFINITY;
      poll();
    });
  };

  const poll = () => {
    for (const invocation of running) if (invocation.state === "dead") running.delete(invocation);
    while (running.size < ports.concurrency) {
      const batch = queue.receive(random.int(1, ports.batch_size), ports.onRedriven);
      if (batch.length === 0) break;
      const invocation = ports.start(queue.name, ports.timeout_ms);
      running.add(invocation);
      redeliverSome(world, queue, batch);
      deliver(world, queue, ports, invocation, batch).then(
        () => {
          running.delete(invocation);
          wake();
        },
        (error: unknown) => world.violate("handlers do not throw", String(error)),
      );
    }
    if (running.size < ports.concurrency) wake();
    else scheduler.after(1000, `full ${queue.name}`, wake); // a slot may come free by a death
  };
  return { wake };
}

async function deliver(
  world: World,
  queue: Queue,
  ports: EventSourcePorts,
  invocation: Invocation,
  batch: Message[],
): Promise<void> {
  const { scheduler } = world;
  const deadline = scheduler.now() + ports.timeout_ms;
  scheduler.after(ports.timeout_ms, `${invocation.number} timeout`, () => {
    if (invocation.state !== "running" || (world.faulty() && world.faults.timeouts_ignored)) return;
    world.count("timeouts");
    kill(world, invocation);
  });
  const context = {
    awsRequestId: invocation.id,
    functionName: invocation.service,
    getRemainingTimeInMillis: () => deadline - scheduler.now(),
  } as Context;
  const event = { Records: batch.map((message) => sqsRecord(message, queue)) };
  const answer = (await ports.handlerOf(invocation)(event, context, () => undefined)) as SQSBatchResponse;
  if (invocation.state === "dead") return;
  invocation.state = "ended";
  world.invocations.delete(invocation);
  const ids = batch.map(({ id }) => id);
  const { delivered } = world.mutation.acknowledge ? { delivered: ids } : batchResult(answer, ids);
  for (const message of batch) {
    if (delivered.includes(message.id)) acknowledge(world, queue, message, invocation, ports);
  }
}

function acknowledge(
  world: World,
  queue: Queue,
  message: Message,
  invocation: Invocation,
  ports: EventSourcePorts,
): void {
  const { random, faults, scheduler } = world;
  scheduler.note(`${invocation.number} acknowledges ${message.id}`);
  ports.onAcknowledged(message, invocation);
  const lost = world.faulty() && random.chance(faults.delete_lost);
  const deleted = !lost && queue.acknowledge(message.id, message.receipt);
  if (!deleted) world.count(lost ? "deletes lost" : "acknowledgements too late");
  if (!deleted || !world.faulty() || !random.chance(faults.redelivered / 4)) return;
  world.count("messages back from the dead"); // a server that missed the delete still has a copy
  const copy = queue.send(message.body, message.attributes);
  copy.receives = message.receives;
  copy.first_received_at = message.first_received_at;
}

/** At least once: a message just received may be received by another consumer too. */
function redeliverSome(world: World, queue: Queue, batch: Message[]): void {
  for (const { id } of batch) {
    if (!world.faulty() || !world.random.chance(world.faults.redelivered)) continue;
    const stored = queue.messages.get(id);
    if (!stored) continue;
    stored.visible_at = world.scheduler.now() + world.random.int(0, 30_000);
    world.count("duplicate deliveries");
  }
}

function sqsRecord(message: Message, queue: Queue): SQSRecord {
  return {
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: String(message.sent_at),
      SenderId: "simulation",
      ApproximateFirstReceiveTimestamp: String(message.first_received_at),
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: queue.name,
    awsRegion: "us-east-1",
  };
}
