import type { Random } from "#test/simulation/engine/random.ts";
import type { Message, Queue, QueueSettings } from "#test/simulation/sqs/queue.ts";
import { type Entry, hiddenEntries } from "./hidden-entries.ts";

interface Group {
  ready: Entry[];
  in_flight: number;
}

/**
 * A standard SQS queue whose messages carry the tenant as `MessageGroupId`, which makes it fair: the
 * tenant with the fewest messages in flight is served first
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
 * Behaves like `makeQueue` of the simulation and takes thousands of messages without reading them all.
 */
export function fairQueue(settings: QueueSettings, now: () => number, random: Random): Queue {
  const messages = new Map<string, Message>();
  const tally = { sent: 0, acknowledged: 0, redriven: 0 };
  const hidden = hiddenEntries();
  const waiting = visibleMessages(messages, hidden, now);
  const { groupOf } = waiting;
  const hide = (message: Message, until: number) => {
    message.visible_at = until;
    hidden.add({ message, visible_at: until });
  };

  return {
    ...settings,
    messages,
    tally,
    send(body, attributes = {}, delay_seconds = 0) {
      tally.sent += 1;
      const times = { visible_at: now() + delay_seconds * 1000, sent_at: now(), first_received_at: 0 };
      const message: Message = { id: random.uuid(), body, attributes, ...times, receives: 0, receipt: "" };
      messages.set(message.id, message);
      hide(message, message.visible_at);
      return message;
    },
    receive(count, redrive) {
      const batch: Message[] = [];
      while (batch.length < count) {
        const message = waiting.take();
        if (!message) break;
        if (settings.receives_max !== undefined && message.receives >= settings.receives_max) {
          tally.redriven += 1;
          messages.delete(message.id);
          redrive(message);
          continue;
        }
        message.receives += 1;
        message.receipt = `${message.id}/${message.receives}`;
        message.first_received_at ||= now();
        groupOf(message).in_flight += 1;
        hide(message, now() + settings.visibility_ms);
        batch.push({ ...message });
      }
      return batch;
    },
    acknowledge(id, receipt) {
      const message = messages.get(id);
      if (message?.receipt !== receipt) return false;
      waiting.promote();
      if (message.visible_at > now()) groupOf(message).in_flight -= 1;
      tally.acknowledged += 1;
      return messages.delete(id);
    },
    changeVisibility(receipt, seconds) {
      const message = messages.get(receipt.split("/")[0] ?? "");
      if (message?.receipt !== receipt || message.visible_at <= now()) return false;
      hide(message, now() + seconds * 1000);
      return true;
    },
    nextVisibleAt() {
      return waiting.any() ? now() : hidden.next(waiting.valid);
    },
  };
}

/** The messages that can be received now, by tenant. */
function visibleMessages(
  messages: Map<string, Message>,
  hidden: ReturnType<typeof hiddenEntries>,
  now: () => number,
) {
  const groups = new Map<string, Group>();
  const groupOf = ({ attributes }: Message): Group => {
    const name = attributes.tenant ?? "";
    let group = groups.get(name);
    if (!group) {
      group = { ready: [], in_flight: 0 };
      groups.set(name, group);
    }
    return group;
  };
  const valid = ({ message, visible_at }: Entry) =>
    messages.get(message.id) === message && message.visible_at === visible_at;
  const promote = () => {
    for (let entry = hidden.takeDue(now()); entry; entry = hidden.takeDue(now())) {
      if (!valid(entry)) continue;
      const group = groupOf(entry.message);
      if (entry.message.receives > 0) group.in_flight -= 1;
      group.ready.push(entry);
    }
  };
  const fairest = (): Group | undefined => {
    promote();
    let found: Group | undefined;
    for (const group of groups.values()) {
      while (group.ready[0] && !valid(group.ready[0])) group.ready.shift();
      if (group.ready.length > 0 && (!found || group.in_flight < found.in_flight)) found = group;
    }
    return found;
  };
  return {
    groupOf,
    valid,
    promote,
    any: () => fairest() !== undefined,
    take: () => fairest()?.ready.shift()?.message,
  };
}
