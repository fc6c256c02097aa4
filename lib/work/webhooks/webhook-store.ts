import { WEBHOOK } from "#lib/platform/table/items.ts";
import { type Item, keyOf, partitionOf, recordFields } from "#lib/platform/table/keys.ts";
import { deleteItem, getItem, NEW, putIfOurs, type TablePorts } from "#lib/platform/table/operations.ts";
import { queryAll } from "#lib/platform/table/queries.ts";
import { WebhookRecord } from "#schemas/records/webhook.ts";

function parseWebhook(item: Item): WebhookRecord {
  return WebhookRecord.parse(recordFields(item));
}

function webhookItem(record: WebhookRecord) {
  return { ...keyOf(WEBHOOK, record), ...WebhookRecord.parse(record) };
}

/** All webhooks of a tenant, oldest first; there are few. Strongly consistent: a new one is among them. */
export async function listWebhooks(tenant: string, ports: TablePorts): Promise<WebhookRecord[]> {
  const items = await queryAll(partitionOf(WEBHOOK, { tenant }), { consistent: true }, ports);
  return items.map(parseWebhook).sort((a, b) => a.created_at.localeCompare(b.created_at));
}

export async function readWebhook(
  tenant: string,
  webhook_id: string,
  ports: TablePorts,
): Promise<WebhookRecord | undefined> {
  const found = await getItem(keyOf(WEBHOOK, { tenant, webhook_id }), ports);
  return found && parseWebhook(found);
}

/** Writes a new webhook. Throws when its id is taken. */
export async function createWebhook(record: WebhookRecord, ports: TablePorts): Promise<void> {
  const { written } = await putIfOurs(webhookItem(record), NEW, ports);
  if (!written) throw new Error(`the webhook id ${record.webhook_id} is taken`);
}

/**
 * Replaces a webhook on condition that nobody wrote it since `seen` was read. Returns it as it stands, or
 * undefined when somebody did: then read again.
 */
export async function moveWebhook(
  seen: WebhookRecord,
  wanted: WebhookRecord,
  ports: TablePorts,
): Promise<WebhookRecord | undefined> {
  const next = { ...wanted, revision: seen.revision + 1 };
  const unchanged = { condition: "revision = :seen", values: { seen: seen.revision } };
  const { written } = await putIfOurs(webhookItem(next), unchanged, ports);
  return written ? next : undefined;
}

/** Deletes a webhook. Its past deliveries are still listed; its open ones are not sent any more. Safe to repeat. */
export async function deleteWebhook(record: WebhookRecord, ports: TablePorts): Promise<void> {
  await deleteItem(keyOf(WEBHOOK, record), ports);
}
