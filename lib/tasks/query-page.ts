import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { HttpError } from "#lib/http/http-error.ts";
import type { TaskPorts } from "#lib/tasks/task-store.ts";

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/**
 * One page of index `by_tenant`, newest first. The cursor is the place of the last item seen; it
 * is bound to the partition, so one tenant's cursor shows nothing of another. Throws HttpError 400.
 */
export async function queryPage(
  partition: string,
  { limit, cursor }: PageRequest,
  { table, table_name }: Pick<TaskPorts, "table" | "table_name">,
): Promise<{ items: Record<string, unknown>[]; next_cursor: string | null }> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const found = await table.send(
    new QueryCommand({
      TableName: table_name,
      IndexName: "by_tenant",
      KeyConditionExpression: "gsi1pk = :partition",
      ExpressionAttributeValues: { ":partition": partition },
      ScanIndexForward: false,
      Limit: limit,
      ExclusiveStartKey: after && { ...after, gsi1pk: partition },
    }),
  );
  const last = found.LastEvaluatedKey;
  return {
    items: found.Items ?? [],
    next_cursor: last ? encodeCursor({ pk: last.pk, sk: last.sk, gsi1sk: last.gsi1sk }) : null,
  };
}

interface Cursor {
  pk: string;
  sk: string;
  gsi1sk: string;
}

function encodeCursor(place: Cursor): string {
  return Buffer.from(JSON.stringify([place.pk, place.sk, place.gsi1sk])).toString("base64url");
}

function decodeCursor(cursor: string): Cursor {
  try {
    const [pk, sk, gsi1sk] = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as unknown[];
    if (typeof pk === "string" && typeof sk === "string" && typeof gsi1sk === "string")
      return { pk, sk, gsi1sk };
  } catch {
    // answered below, like every other cursor that is not ours
  }
  throw new HttpError(
    400,
    "CURSOR_INVALID",
    "take the cursor from next_cursor of the page before, unchanged",
  );
}
