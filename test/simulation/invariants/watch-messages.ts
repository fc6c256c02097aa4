import { stepFailureId } from "#lib/agents/dlq/failure-store.ts";
import { REPLAYS, runStorage } from "#lib/agents/dlq/replay-job-store.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { Envelope } from "#schemas/messages/envelope.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { Change } from "../dynamodb/table.ts";
import type { Invocation } from "../engine/invocation.ts";
import type { World } from "../engine/world.ts";
import type { Message, Queue } from "../sqs/queue.ts";

/** Codes of work that only had to wait for a dependency. */
const OUTAGES = new Set(["MODEL_QUOTA_SPENT", "CIRCUIT_OPEN", "WAIT_EXCEEDS_DEADLINE"]);

/** Invariants of messages: what may be in a queue, and what must be done before one is deleted. */
export function watchMessages(world: World) {
  const poison = new Set<string>();
  /** Order of what happened: the last nudge of each task, and the end of each step. */
  let order = 0;
  const nudged = new Map<string, number>();
  const completed = new Map<string, number>();

  const onWrite = ({ key, before, after }: Change) => {
    order += 1;
    if (key.sk.startsWith("STEP#") && after.status === "completed" && before?.status !== "completed") {
      completed.set(`${key.pk} ${key.sk}`, order);
    }
  };

  const onSent = (queue: Queue, message: Message) => {
    order += 1;
    if (queue.name.endsWith("-dlq")) return checkDeadLetter(world, message);
    const envelope = parse(message);
    if (!envelope) return world.violate("every message is an envelope", message.body.slice(0, 200));
    if (envelope.service !== queue.name) world.violate("messages go to their service", queue.name);
    if (queue.name === "orchestrator") nudged.set(`TASK#${envelope.tenant}#${envelope.task_id}`, order);
  };

  const onAcknowledged = (queue: Queue, message: Message, invocation: Invocation) => {
    if (poison.has(message.body)) return checkBuried(world, message, "unknown", message.id);
    const envelope = parse(message);
    if (!envelope) return;
    const { tenant, task_id, step, round } = envelope;
    const pk = `TASK#${tenant}#${task_id}`;
    if (queue.name === REPLAYS) return checkRun(world, envelope, message);
    checkProgress(world, pk, task_id, message);
    if (queue.name === "orchestrator") return;
    const beside = queue.name === WEBHOOKS;
    const sk = beside ? `DELIVERY#${step}` : `STEP#${step}#${round}`;
    const clock = world.scheduler.now() + invocation.clock_offset_ms;
    if (clock >= Date.parse(envelope.deadline_at)) return; // the orchestrator ends the task
    const record = world.table.get({ pk, sk }) as StepRecord | undefined;
    const where = `${pk} ${sk}`;
    if (record && record.source_hash !== envelope.source_hash) {
      return checkBuried(world, message, tenant, envelope.idempotency_key);
    }
    if (record?.status === "canceled") return;
    if (record?.status === "completed") {
      const told = (nudged.get(pk) ?? 0) > (completed.get(where) ?? 0);
      if (!beside && !told && !hasSuccessor(queue, envelope)) {
        world.violate("publish before acknowledge", `${where} ended and nobody was told`);
      }
      const { dead_letter, replay_count = 0 } = record.outcome ?? {};
      if (dead_letter)
        checkBuried(world, message, tenant, stepFailureId(record.idempotency_key, replay_count));
      return;
    }
    if (hasSuccessor(queue, envelope)) return world.count("messages forwarded");
    world.violate("a message is kept until its step ended", `${where} is ${record?.status}`);
  };
  const onRedriven = (queue: Queue, message: Message) => {
    world.count("messages redriven");
    const why = `${queue.name} gave up message ${message.id} after ${message.receives} receives`;
    world.violate("every dead letter has its failure record", why);
  };
  return { poison, onWrite, onSent, onAcknowledged, onRedriven };
}

/** A new message for the same work, no copy of this one, stands in the queue: this one is not missed. */
function hasSuccessor(queue: Queue, { message_id, task_id, idempotency_key }: Envelope): boolean {
  for (const message of queue.messages.values()) {
    if (message.attributes.task_id !== task_id) continue; // parsing thousands takes long
    const other = parse(message);
    if (other?.idempotency_key === idempotency_key && other.message_id !== message_id) return true;
  }
  return false;
}

function parse({ body }: Message): Envelope | undefined {
  try {
    return Envelope.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/**
 * An open task has a message somewhere that will move it: the sweeper is there for crashes between
 * accepting and nudging, not for messages that were deleted before the next one was durable.
 */
function checkProgress(world: World, pk: string, task_id: string, acknowledged: Message): void {
  const task = world.table.get({ pk, sk: "TASK" }) as TaskRecord | undefined;
  if (!task || task.sealed_at || task.reopenings) return; // a replay job moves on what it has reopened
  if (world.scheduler.now() + world.faults.clock_skew_ms >= Date.parse(task.deadline_at)) return;
  for (const queue of world.queues.values()) {
    if (queue.name.endsWith("-dlq")) continue;
    for (const { id, attributes } of queue.messages.values()) {
      if (attributes.task_id === task_id && id !== acknowledged.id) return;
    }
  }
  world.violate("publish before acknowledge", `nothing moves ${pk} after message ${acknowledged.id}`);
}

/** The message of a replay job is kept until its run has ended, or another message for it is there. */
function checkRun(world: World, { tenant, task_id, step, round }: Envelope, { id }: Message): void {
  const { key } = runStorage.item({ tenant, task_id, step, round });
  if (world.table.get(key)?.status === "completed") return;
  for (const other of world.queues.get(REPLAYS)?.messages.values() ?? []) {
    if (other.attributes.task_id === task_id && other.id !== id) return;
  }
  world.violate("a message is kept until its run ended", `${task_id} ${step}`);
}

/** What the code sends to a DLQ names its failure record, which stands already. */
function checkDeadLetter(world: World, message: Message): void {
  world.count("dead letters");
  const id = message.attributes.failure_id ?? "";
  for (const item of world.table.items()) {
    if (!String(item.pk).startsWith("FAILURE#") || item.sk !== id) continue;
    if (OUTAGES.has(String(item.code)))
      world.violate("an outage dead-letters nothing", `${id}: ${item.code}`);
    return;
  }
  world.violate("every dead letter has its failure record", `${id} has none`);
}

/** A message that was given up is in its DLQ, and its failure record says so. */
function checkBuried(world: World, message: Message, tenant: string, failure_id: string): void {
  const record = world.table.get({ pk: `FAILURE#${tenant}`, sk: failure_id });
  if (record?.sent_at || record?.replayed_at) return;
  world.violate("given up means in the DLQ", `message ${message.id}, failure ${failure_id}`);
}
