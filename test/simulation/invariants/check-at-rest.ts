import type { World } from "../engine/world.ts";
import { checkTold } from "../workload/webhooks.ts";
import type { Watch } from "./watch.ts";

/** What holds when faults have stopped and the system had time to settle. */
export function checkAtRest(world: World, watch: Watch): void {
  for (const [pk, deadline] of watch.open_tasks) {
    const late_seconds = Math.round((world.scheduler.now() - deadline) / 1000);
    world.violate("every accepted task ends", `${pk} is open ${late_seconds} s after its deadline`);
  }
  checkTold(world);
  const dead_letters = new Set<string>();
  for (const { name, tally, messages } of world.queues.values()) {
    const { sent, acknowledged, redriven } = tally;
    if (sent !== acknowledged + redriven + messages.size) {
      world.violate("no message vanishes", `${name}: ${JSON.stringify(tally)}, ${messages.size} left`);
    }
    if (name.endsWith("-dlq")) for (const { body } of messages.values()) dead_letters.add(body);
    else if (messages.size > 0) world.violate("every message ends", `${name} keeps ${messages.size}`);
  }
  for (const body of watch.poison) {
    if (!dead_letters.has(body)) world.violate("poison ends in a DLQ", body.slice(0, 100));
  }
}
