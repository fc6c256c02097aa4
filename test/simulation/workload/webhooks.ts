import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { deliveryId, deliveryStep, endingOf, WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { type TaskEnded, WebhooksInput, WebhooksOutput } from "#schemas/messages/webhooks.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import { sendAnew } from "../../../functions/webhooks/deliver.ts";
import { EPOCH_MS } from "../engine/scheduler.ts";
import type { World } from "../engine/world.ts";
import { maybeFail, spendTime } from "./agents.ts";
import type { SimulatedPlatform } from "./simulated-platform.ts";

/** Webhooks of some tenants, in a third of the seeds: there before the first task. */
export function registerWebhooks({ seed, table }: World): void {
  if (seed % 3 !== 0) return;
  for (const [tenant, count] of [
    ["acme", 2],
    ["globex", 1],
  ] as const) {
    for (let number = 1; number <= count; number += 1) {
      const record: WebhookRecord = {
        webhook_id: number.toString(16).padStart(16, "0"),
        tenant,
        name: "test",
        url: "https://receiver.example/",
        secrets: [{ number: 1, created_at: new Date(EPOCH_MS).toISOString() }],
        created_at: new Date(EPOCH_MS).toISOString(),
        created_by: "local",
        revision: 1,
      };
      table.put({ pk: `WEBHOOKS#${tenant}`, sk: record.webhook_id, ...record }, {});
    }
  }
}

/** The real function around a receiver that is slow, fails, and remembers what it was told. */
export function webhooksHandler(world: World, platform: SimulatedPlatform) {
  const agent = {
    name: WEBHOOKS,
    input: WebhooksInput,
    output: WebhooksOutput,
    detached: {
      sendAnew: (envelope: Parameters<typeof sendAnew>[0], parent: Parameters<typeof sendAnew>[1]) =>
        sendAnew(envelope, parent, platform),
    },
    async run({ webhook_id, event }: WebhooksInput, context: Parameters<typeof spendTime>[1]) {
      await spendTime(world, context);
      maybeFail(world);
      receive(world, webhook_id, event);
      return { verdict: "passed" as const, output: { status_code: 204, duration_ms: 1 } };
    },
  };
  return defineAgent(agent, () => ({ ...platform, claims: platform.deliveryClaims }));
}

function receive(world: World, webhook_id: string, event: TaskEnded): void {
  const { tenant, task_id, ending } = event.data;
  const task = world.table.get({ pk: `TASK#${tenant}#${task_id}`, sk: "TASK" }) as TaskRecord | undefined;
  if (task && !task.sealed_at && endingOf(task) === ending) {
    world.violate("an end is told when it shows", `${task_id} is ${task.status} and not sealed`);
  }
  const id = deliveryId({ task_id, ending, webhook_id });
  const body = JSON.stringify(event);
  if ((world.received.get(id) ?? body) !== body) world.violate("one id has one body", id);
  world.count(world.received.has(id) ? "events told again" : "events told");
  world.received.set(id, body);
}

/** At rest: each end was told to each webhook, or is known to have been given up. */
export function checkTold(world: World): void {
  const webhooks = [...world.table.items()].filter(({ pk }) => String(pk).startsWith("WEBHOOKS#"));
  for (const task of [...world.table.items()].filter(({ sk }) => sk === "TASK") as unknown as TaskRecord[]) {
    const { tenant, task_id } = task;
    const ending = endingOf(task);
    for (const { webhook_id } of webhooks.filter(
      (one) => one.tenant === tenant,
    ) as unknown as WebhookRecord[]) {
      const sk = `DELIVERY#${deliveryStep({ webhook_id, ending })}`;
      const delivery = world.table.get({ pk: `TASK#${tenant}#${task_id}`, sk });
      const told = world.received.has(deliveryId({ task_id, ending, webhook_id }));
      const outcome = delivery?.outcome as { verdict?: string } | undefined;
      if (delivery?.status !== "completed") {
        world.violate("every end is told", `${task_id} to ${webhook_id}: ${delivery?.status}`);
      } else if (outcome?.verdict === "passed" && !told) {
        world.violate("what counts as told was told", `${task_id} to ${webhook_id}`);
      }
    }
  }
}
