import type { Random } from "../engine/random.ts";

export interface QueueSettings {
  name: string;
  visibility_ms: number;
  /** Receives after which a message goes to the dead-letter queue; undefined without redrive. */
  receives_max: number | undefined;
}

export interface Message {
  id: string;
  body: string;
  attributes: Record<string, string>;
  visible_at: number;
  sent_at: number;
  first_received_at: number;
  receives: number;
  receipt: string;
}

export interface Queue extends QueueSettings {
  messages: Map<string, Message>;
  /** Messages that ever came in, by send or redrive, and those that left by acknowledgement or redrive. */
  tally: { sent: number; acknowledged: number; redriven: number };
  send(body: string, attributes?: Record<string, string>, delay_seconds?: number): Message;
  /** Takes up to `count` visible messages in any order; those received too often go to `redrive`. */
  receive(count: number, redrive: (message: Message) => void): Message[];
  /** False when the receipt is no longer the latest one or the message is gone. */
  acknowledge(id: string, receipt: string): boolean;
  changeVisibility(receipt: string, seconds: number): boolean;
  /** When the next message becomes visible; undefined when the queue is empty. */
  nextVisibleAt(): number | undefined;
}

/** A standard SQS queue: at least once, in no order. */
export function makeQueue(settings: QueueSettings, now: () => number, random: Random): Queue {
  const messages = new Map<string, Message>();
  const tally = { sent: 0, acknowledged: 0, redriven: 0 };

  const takeVisible = (): Message | undefined => {
    const visible = [...messages.values()].filter(({ visible_at }) => visible_at <= now());
    return visible.length > 0 ? random.pick(visible) : undefined;
  };
  return {
    ...settings,
    messages,
    tally,
    send(body, attributes = {}, delay_seconds = 0) {
      tally.sent += 1;
      const message: Message = {
        id: random.uuid(),
        body,
        attributes,
        visible_at: now() + delay_seconds * 1000,
        sent_at: now(),
        first_received_at: 0,
        receives: 0,
        receipt: "",
      };
      messages.set(message.id, message);
      return message;
    },
    receive(count, redrive) {
      const batch: Message[] = [];
      while (batch.length < count) {
        const message = takeVisible();
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
        message.visible_at = now() + settings.visibility_ms;
        batch.push({ ...message });
      }
      return batch;
    },
    acknowledge(id, receipt) {
      if (messages.get(id)?.receipt !== receipt) return false;
      tally.acknowledged += 1;
      return messages.delete(id);
    },
    changeVisibility(receipt, seconds) {
      const message = messages.get(receipt.split("/")[0] ?? "");
      if (message?.receipt !== receipt || message.visible_at <= now()) return false;
      message.visible_at = now() + seconds * 1000;
      return true;
    },
    nextVisibleAt() {
      let next: number | undefined;
      for (const { visible_at } of messages.values()) {
        if (next === undefined || visible_at < next) next = visible_at;
      }
      return next;
    },
  };
}
