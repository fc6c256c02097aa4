import { Command, Option } from "commander";
import {
  DeliveryList,
  DeliveryState,
  DeliveryView,
  NewWebhook,
  WebhookList,
  WebhookView,
} from "#schemas/http/webhooks.ts";
import { addGrace, addPaging, askAndShow, queryOf } from "../ask-and-show.ts";
import {
  deliveryLine,
  deliveryTable,
  newWebhookLines,
  webhookLine,
  webhookTable,
} from "../render/webhook-table.ts";

const EXAMPLES = `
Examples:
  $ agents webhooks create https://ci.example.org/agents --name ci
  $ agents webhooks deliveries --state failed
  $ agents webhooks redeliver task_…
  $ agents webhooks rotate 3f0c… --grace 48h    both secrets sign for two days

Each task that ends is sent as a POST, signed by Standard Webhooks. How to verify it: docs/guides/webhooks.md`;

const path = (webhook_id: string) => `/api/webhooks/${encodeURIComponent(webhook_id)}`;

const create = askAndShow({
  interrupted: "A webhook may have been made: agents webhooks list",
  ask: (api, url: string, { name }: { name: string }) =>
    api.post(NewWebhook, "/api/webhooks", { body: { name, url } }),
  lines: newWebhookLines,
});

const list = askAndShow({ ask: (api) => api.get(WebhookList, "/api/webhooks"), lines: webhookTable });

const rotate = askAndShow({
  interrupted: "It may have been rotated: agents webhooks list",
  ask: (api, webhook_id: string, { grace }: { grace?: number }) =>
    api.post(NewWebhook, `${path(webhook_id)}/rotate${queryOf({ grace_hours: grace })}`),
  lines: newWebhookLines,
});

const enable = askAndShow({
  interrupted: "It may have been enabled: agents webhooks list",
  ask: (api, webhook_id: string) => api.post(WebhookView, `${path(webhook_id)}/enable`),
  lines: (view, paint) => [webhookLine(view, paint)],
});

const remove = askAndShow({
  interrupted: "It may have been deleted: agents webhooks list",
  ask: (api, webhook_id: string) => api.delete(WebhookView, path(webhook_id)),
  lines: (view, paint) => [webhookLine(view, paint)],
});

interface DeliveriesOptions {
  webhook?: string;
  task?: string;
  state?: string;
  limit: number;
  cursor?: string;
}

const deliveries = askAndShow({
  ask: (api, options: DeliveriesOptions) =>
    api.get(DeliveryList, `/api/deliveries${queryOf({ ...options })}`),
  lines: deliveryTable,
});

const redeliver = askAndShow({
  interrupted: "It may be on its way: agents webhooks deliveries",
  ask: (api, delivery_id: string) =>
    api.post(DeliveryView, `/api/deliveries/${encodeURIComponent(delivery_id)}/redeliver`),
  lines: (view, paint) => [deliveryLine(view, paint)],
});

export function webhooksCommand(): Command {
  const webhooks = new Command("webhooks")
    .summary("where you are told that a task has ended")
    .description("Manage your tenant's webhooks (scope admin) and see what was sent to them (scope read).")
    .addHelpText("after", EXAMPLES);
  webhooks
    .command("create <url>")
    .description("make a webhook at an https URL; its secret is shown this once")
    .requiredOption("--name <name>", "what it is for")
    .action(create);
  webhooks.command("list").description("list webhooks, oldest first").action(list);
  addGrace(
    webhooks
      .command("rotate <webhook_id>")
      .description("make a new secret; the old one signs too until its grace ends"),
    "how long both sign, for example 48h",
  ).action(rotate);
  webhooks.command("enable <webhook_id>").description("send to a disabled webhook again").action(enable);
  webhooks.command("delete <webhook_id>").description("end a webhook for good").action(remove);
  addPaging(
    webhooks
      .command("deliveries")
      .description("what was sent, newest first: how often tried, what was answered, when it is tried next")
      .option("--webhook <webhook_id>", "only to this webhook")
      .option("--task <task_id>", "only of this task")
      .addOption(new Option("--state <state>", "only in this state").choices(DeliveryState.options)),
  ).action(deliveries);
  webhooks
    .command("redeliver <delivery_id>")
    .description("send once more what was delivered or given up, under the same id")
    .action(redeliver);
  return webhooks;
}
