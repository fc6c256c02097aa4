import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { deliveryKey, OPEN_DELIVERIES, parseDelivery } from "#lib/work/webhooks/delivery-place.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";

export interface DeliveryPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
}

/** A delivery; undefined when there is none, or its time is over. */
export async function readDelivery(
  { tenant, task_id, step }: Pick<DeliveryRecord, "tenant" | "task_id" | "step">,
  { table, table_name, runtime }: DeliveryPorts,
): Promise<DeliveryRecord | undefined> {
  const Key = deliveryKey(tenant, task_id, step);
  const { Item } = await table.send(new GetCommand({ TableName: table_name, Key, ConsistentRead: true }));
  if (Item?.event === undefined) return undefined; // what a stray message claimed after the record was gone
  const record = parseDelivery(Item);
  return isExpired(record, runtime.now()) ? undefined : record;
}

/** A delivery whose time to be looked at has come, and that time. */
export interface OverdueDelivery {
  record: DeliveryRecord;
  check_at: string;
}

/** Longest overdue first in each partition. What cannot be read is told to `unreadable`. */
export async function overdueDeliveries(
  limit: number,
  { table, table_name, runtime }: DeliveryPorts,
  unreadable: (item: Record<string, unknown>, error: unknown) => void,
): Promise<OverdueDelivery[]> {
  const now = instant(runtime.now());
  const pages = await Promise.all(
    OPEN_DELIVERIES.map((partition) =>
      table.send(
        new QueryCommand({
          TableName: table_name,
          IndexName: "open_tasks",
          KeyConditionExpression: "gsi2pk = :partition AND gsi2sk <= :now",
          ExpressionAttributeValues: { ":partition": partition, ":now": now },
          Limit: Math.ceil(limit / OPEN_DELIVERIES.length),
        }),
      ),
    ),
  );
  return pages
    .flatMap(({ Items = [] }) => Items)
    .flatMap((item) => {
      try {
        return [{ record: parseDelivery(item), check_at: String(item.gsi2sk) }];
      } catch (error) {
        unreadable(item, error);
        return [];
      }
    });
}

/**
 * Looks at a delivery again at `check_ms` (Unix time). False when somebody else moved it meanwhile: of two
 * sweepers one goes on. The index lags behind, so the time that was read is the condition.
 */
export async function postponeDelivery(
  { record, check_at }: OverdueDelivery,
  check_ms: number,
  dispatch_count: number,
  { table, table_name }: DeliveryPorts,
): Promise<boolean> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: deliveryKey(record.tenant, record.task_id, record.step),
        UpdateExpression: "SET gsi2sk = :next, dispatch_count = :dispatch_count",
        ConditionExpression: "gsi2sk = :seen",
        ExpressionAttributeValues: {
          ":next": instant(check_ms),
          ":seen": check_at,
          ":dispatch_count": dispatch_count,
        },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
