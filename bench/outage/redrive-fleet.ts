import type { Message } from "#test/simulation/sqs/queue.ts";
import { fairQueue } from "./fair-queue.ts";
import type { Fate, Lab, Running } from "./lab.ts";

export interface RedriveSettings {
  receives_max: number;
  /** AWS: six times the function's timeout (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html). */
  visibility_ms: number;
  /** The consumer's code in one environment. A message whose promise is rejected stays in its queue. */
  environment(index: number): (fate: Fate) => Promise<void>;
  stop?(): void;
}

/**
 * A queue with native redrive, fed one message at a time to as many environments as the plan has:
 * what fails comes back after the queue's visibility timeout, until its receives are spent.
 */
export function redriveFleet(lab: Lab, settings: RedriveSettings): Running {
  const { scheduler, random, plan } = lab;
  const queue = fairQueue({ name: "work", ...settings }, scheduler.now, random);
  const idle = Array.from({ length: plan.environments }, (_, index) => settings.environment(index));
  let polling_at = Number.POSITIVE_INFINITY;

  const redrive = ({ body }: Message) => lab.end(body, "dead-lettered");
  const wake = () => {
    const visible_at = queue.nextVisibleAt();
    if (visible_at === undefined || idle.length === 0) return;
    const at = Math.max(visible_at, scheduler.now()) + random.int(1, 10);
    if (at >= polling_at) return;
    polling_at = at;
    scheduler.after(at - scheduler.now(), "poll", () => {
      if (at !== polling_at) return;
      polling_at = Number.POSITIVE_INFINITY;
      poll();
    });
  };
  const poll = () => {
    while (idle.length > 0) {
      const [message] = queue.receive(1, redrive);
      if (!message) break;
      const [environment] = idle.splice(random.int(0, idle.length - 1), 1);
      if (environment) deliver(message, environment);
    }
    wake();
  };
  const deliver = (message: Message, environment: (fate: Fate) => Promise<void>) => {
    const fate = lab.fates.get(message.body);
    const done = fate ? environment(fate) : Promise.resolve();
    done
      .then(
        () => {
          if (queue.acknowledge(message.id, message.receipt)) lab.end(message.body, "done");
        },
        () => undefined, // its visibility timeout brings it back
      )
      .finally(() => {
        idle.push(environment);
        wake();
      });
  };
  return {
    submit({ id, tenant }) {
      queue.send(id, { tenant });
      wake();
    },
    stop() {
      settings.stop?.();
      const kept = new Set([...queue.messages.values()].map(({ body }) => body));
      for (const { id, outcome } of lab.fates.values()) {
        if (outcome === "open" && !kept.has(id)) lab.end(id, "lost");
      }
    },
  };
}
