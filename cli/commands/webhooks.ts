import { Command, Option } from "commander";
import {
  DeliveryList,
  DeliveryState,
  DeliveryView,
  NewWebhook,
  WebhookList,
  WebhookView,
} from "#schemas/http/webhooks.ts";
import { spanOption, whole } from "../parse-option.ts";
import {
  deliveryLine,
  deliveryTable,
  newWebhookLines,
  webhookLine,
  webhookTable,
} from "../render/webhook-table.ts";
import { openSession } from "../session.ts";

const HOUR_MS = 3_600_000;

const EXAMPLES = `
Examples:
  $ agents webhooks create https://ci.example.org/agents --name ci
  $ agents webhooks deliveries --state failed
  $ agents webhooks redeliver task_…
  $ agents webhooks rotate 3f0c… --grace 48h    both secrets sign for two days

Each task that ends is sent as a POST, signed by Standard Webhooks. How to verify it: docs/guides/webhooks.md`;

const path = (webhook_id: string) => `/api/webhooks/${encodeURIComponent(webhook_id)}`;

async function create(url: string, { name }: { name: string }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["A webhook may have been made: agents webhooks list"];
  const made = await session.api.post(NewWebhook, "/api/webhooks", { body: { name, url } });
  session.answer(made, () => newWebhookLines(made, session.terminal.paint));
}

async function list(_options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const found = await session.api.get(WebhookList, "/api/webhooks");
  session.answer(found, () => webhookTable(found, session.terminal.paint));
}

async function rotate(webhook_id: string, { grace }: { grace?: number }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["It may have been rotated: agents webhooks list"];
  const query = grace === undefined ? "" : `?grace_hours=${Math.ceil(grace / HOUR_MS)}`;
  const made = await session.api.post(NewWebhook, `${path(webhook_id)}/rotate${query}`);
  session.answer(made, () => newWebhookLines(made, session.terminal.paint));
}

async function enable(webhook_id: string, _options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["It may have been enabled: agents webhooks list"];
  const view = await session.api.post(WebhookView, `${path(webhook_id)}/enable`);
  session.answer(view, () => [webhookLine(view, session.terminal.paint)]);
}

async function remove(webhook_id: string, _options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["It may have been deleted: agents webhooks list"];
  const view = await session.api.delete(WebhookView, path(webhook_id));
  session.answer(view, () => [webhookLine(view, session.terminal.paint)]);
}

interface DeliveriesOptions {
  webhook?: string;
  task?: string;
  state?: string;
  limit: number;
  cursor?: string;
}

async function deliveries({ limit, ...filters }: DeliveriesOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, value);
  const found = await session.api.get(DeliveryList, `/api/deliveries?${query}`);
  session.answer(found, () => deliveryTable(found, session.terminal.paint));
}

async function redeliver(delivery_id: string, _options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["It may be on its way: agents webhooks deliveries"];
  const where = `/api/deliveries/${encodeURIComponent(delivery_id)}/redeliver`;
  const view = await session.api.post(DeliveryView, where);
  session.answer(view, () => [deliveryLine(view, session.terminal.paint)]);
}

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
  webhooks
    .command("rotate <webhook_id>")
    .description("make a new secret; the old one signs too until its grace ends")
    .option("--grace <span>", "how long both sign, for example 48h", spanOption)
    .action(rotate);
  webhooks.command("enable <webhook_id>").description("send to a disabled webhook again").action(enable);
  webhooks.command("delete <webhook_id>").description("end a webhook for good").action(remove);
  webhooks
    .command("deliveries")
    .description("what was sent, newest first: how often tried, what was answered, when it is tried next")
    .option("--webhook <webhook_id>", "only to this webhook")
    .option("--task <task_id>", "only of this task")
    .addOption(new Option("--state <state>", "only in this state").choices(DeliveryState.options))
    .option("--limit <number>", "how many", whole(1, 100), 20)
    .option("--cursor <cursor>", "go on where another list ended")
    .action(deliveries);
  webhooks
    .command("redeliver <delivery_id>")
    .description("send once more what was delivered or given up, under the same id")
    .action(redeliver);
  return webhooks;
}
