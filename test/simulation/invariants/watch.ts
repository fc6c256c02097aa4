import type { Lease } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import type { Change } from "../dynamodb/table.ts";
import type { Invocation } from "../engine/invocation.ts";
import type { World } from "../engine/world.ts";
import type { Message, Queue } from "../sqs/queue.ts";
import { watchMessages } from "./watch-messages.ts";
import { watchSteps } from "./watch-steps.ts";
import { watchTasks } from "./watch-tasks.ts";

/** Sees everything that takes effect, at the moment it does. */
export interface Watch {
  onWrite(change: Change, writer: Invocation): void;
  onEffect(key: ClaimKey, lease: Lease, invocation: Invocation): void;
  onSent(queue: Queue, message: Message): void;
  onAcknowledged(queue: Queue, message: Message, invocation: Invocation): void;
  /** The queue gave a message up by itself. */
  onRedriven(queue: Queue, message: Message): void;
  /** Deadlines of the tasks that were accepted and are not sealed yet, by partition. */
  open_tasks: Map<string, number>;
  /** Deadlines of the deliveries that have not ended. */
  open_deliveries: Map<string, number>;
  /** Messages the workload made itself: not judged by what they say. */
  poison: Set<string>;
}

export function makeWatch(world: World): Watch {
  const steps = watchSteps(world);
  const tasks = watchTasks(world);
  const messages = watchMessages(world);
  const open_deliveries = new Map<string, number>();
  return {
    poison: messages.poison,
    open_tasks: tasks.open_tasks,
    open_deliveries,
    onRedriven: messages.onRedriven,
    onWrite(change, writer) {
      const { sk } = change.key;
      if (sk.startsWith("STEP#")) steps.onWrite(change, writer);
      else if (sk === "TASK") tasks.onWrite(change, writer);
      else if (sk.startsWith("DELIVERY#")) {
        steps.onDeliveryWrite(change, writer);
        const name = `${change.key.pk} ${sk}`;
        const { status, deadline_at } = change.after;
        if (status === "completed") open_deliveries.delete(name);
        else open_deliveries.set(name, Date.parse(String(deadline_at)));
      }
      messages.onWrite(change);
    },
    onEffect: steps.onEffect,
    onSent: messages.onSent,
    onAcknowledged: messages.onAcknowledged,
  };
}
