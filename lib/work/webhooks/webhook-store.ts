import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { WebhookRecord } from "#schemas/records/webhook.ts";

export interface WebhookPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
}

function placeOf({ tenant, webhook_id }: Pick<WebhookRecord, "tenant" | "webhook_id">) {
  return { pk: `WEBHOOKS#${tenant}`, sk: webhook_id };
}

function parseItem({ pk: _pk, sk: _sk, ...record }: Record<string, unknown>): WebhookRecord {
  return WebhookRecord.parse(record);
}

/** All webhooks of a tenant, oldest first; there are few. Strongly consistent: one just made is among them. */
export async function listWebhooks(
  tenant: string,
  { table, table_name }: WebhookPorts,
): Promise<WebhookRecord[]> {
  const items: Record<string, unknown>[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await table.send(
      new QueryCommand({
        TableName: table_name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": placeOf({ tenant, webhook_id: "" }).pk },
        ConsistentRead: true,
        ExclusiveStartKey,
      }),
    );
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items.map(parseItem).sort((a, b) => a.created_at.localeCompare(b.created_at));
}

export async function readWebhook(
  tenant: string,
  webhook_id: string,
  { table, table_name }: WebhookPorts,
): Promise<WebhookRecord | undefined> {
  const Key = placeOf({ tenant, webhook_id });
  const { Item } = await table.send(new GetCommand({ TableName: table_name, Key, ConsistentRead: true }));
  return Item && parseItem(Item);
}

/** Writes a new webhook. Throws when its id is taken. */
export async function createWebhook(record: WebhookRecord, ports: WebhookPorts): Promise<void> {
  if (!(await put(record, "attribute_not_exists(pk)", {}, ports)))
    throw new Error("the webhook's id is taken");
}

/**
 * Replaces a webhook on condition that nobody wrote it since it was read. Returns it as it stands, or
 * undefined when somebody did: then read again.
 */
export async function moveWebhook(
  seen: WebhookRecord,
  wanted: WebhookRecord,
  ports: WebhookPorts,
): Promise<WebhookRecord | undefined> {
  const next = { ...wanted, revision: seen.revision + 1 };
  const written = await put(next, "revision = :seen", { ":seen": seen.revision }, ports);
  return written ? next : undefined;
}

/** What was sent for it is still listed; what waits to be sent is not any more. Safe to repeat. */
export async function deleteWebhook(
  { tenant, webhook_id }: WebhookRecord,
  { table, table_name }: WebhookPorts,
): Promise<void> {
  await table.send(new DeleteCommand({ TableName: table_name, Key: placeOf({ tenant, webhook_id }) }));
}

/** True when it stands as given: by this write, or by the same one whose answer was lost. */
async function put(
  record: WebhookRecord,
  condition: string,
  values: Record<string, unknown>,
  ports: WebhookPorts,
): Promise<boolean> {
  try {
    await ports.table.send(
      new PutCommand({
        TableName: ports.table_name,
        Item: { ...placeOf(record), ...WebhookRecord.parse(record) },
        ConditionExpression: condition,
        ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return isDeepStrictEqual(await readWebhook(record.tenant, record.webhook_id, ports), record);
  }
}
