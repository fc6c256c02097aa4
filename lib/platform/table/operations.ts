import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { namedValues, namesIn } from "#lib/platform/table/expressions.ts";
import { type Item, type Key, keyOfItem } from "#lib/platform/table/keys.ts";

/** The document client; whoever needs a type of it takes this one. */
export type TableClient = DynamoDBDocumentClient;

/** The one table. Its keys are in items.ts. */
export interface TablePorts {
  table: TableClient;
  table_name: string;
}

/** An item that is written whole: its key, what lists it, and its record's fields. */
export type NewItem = Key | (Key & Item);

/**
 * When a write takes effect, in the language of DynamoDB's condition expressions. A `#name` stands for the
 * attribute of that name, a `:value` for the one in `values`, where it has no colon.
 */
export interface Condition {
  condition: string;
  values?: Item;
}

/** A write of some attributes; `update` is an update expression, with names and values as in a condition. */
export interface Update {
  update: string;
  /** For names that do not stand for themselves. */
  names?: Record<string, string>;
  values?: Item;
  /** Which attributes the answer has; without it none. */
  returns?: "ALL_NEW" | "ALL_OLD" | "UPDATED_NEW";
}

interface Sending {
  abortSignal?: AbortSignal;
}

/**
 * The item as the last write left it (a strongly consistent read); undefined when there is none.
 * `attributes`: only these of it.
 */
export async function getItem(
  key: Key,
  { table, table_name }: TablePorts,
  { attributes, ...sending }: Sending & { attributes?: readonly string[] } = {},
): Promise<Item | undefined> {
  const ProjectionExpression = attributes?.join(", ");
  const { Item } = await table.send(
    new GetCommand({ TableName: table_name, Key: key, ProjectionExpression, ConsistentRead: true }),
    sending,
  );
  return Item;
}

/** Throws when the table does not answer a read. */
export async function checkTable(key: Key, { table, table_name }: TablePorts): Promise<void> {
  await table.send(new GetCommand({ TableName: table_name, Key: key }));
}

/** Writes an item, over any that is there. */
export async function putItem(item: NewItem, ports: TablePorts, sending: Sending = {}): Promise<void> {
  await ports.table.send(new PutCommand({ TableName: ports.table_name, Item: item }), sending);
}

/** No item has the key yet. */
export const NEW: Condition = { condition: "attribute_not_exists(pk)" };

/** Writes an item on a condition. False when it does not hold: then nothing was written. */
export function putIf(
  item: NewItem,
  { condition, values }: Condition,
  { table, table_name }: TablePorts,
): Promise<boolean> {
  return unlessRefused(async () => {
    await table.send(
      new PutCommand({
        TableName: table_name,
        Item: item,
        ConditionExpression: condition,
        ExpressionAttributeNames: namesIn([condition]),
        ExpressionAttributeValues: namedValues(values),
      }),
    );
    return true;
  }, false);
}

/** Whether an item stands as it was to be written; if not, `found` is what stands in its place. */
export type PutResult = { written: true } | { written: false; found: Item | undefined };

/**
 * As `putIf`, for a write that nobody else makes the same: when it is refused, the item is read, and
 * counts as written if it stands exactly so. For the SDK sends a write twice when the answer to the first
 * is lost, and the condition refuses the second: taken for another's, what follows would not be done.
 */
export async function putIfOurs(item: NewItem, condition: Condition, ports: TablePorts): Promise<PutResult> {
  if (await putIf(item, condition, ports)) return { written: true };
  const found = await getItem(keyOfItem({ ...item }), ports);
  return isDeepStrictEqual(found, JSON.parse(JSON.stringify(item)))
    ? { written: true }
    : { written: false, found };
}

/** Writes attributes of an item, which is made if there is none. Gives those that `returns` asks for. */
export async function updateItem(key: Key, update: Update, ports: TablePorts): Promise<Item> {
  return send(key, update, ports, {});
}

/**
 * Writes attributes of an item on a condition. Undefined when it does not hold: then nothing was written.
 * Else what `returns` asks for, at least `{}`.
 */
export function updateIf(
  key: Key,
  write: Update & Condition,
  ports: TablePorts,
  sending: Sending = {},
): Promise<Item | undefined> {
  return unlessRefused(() => send(key, write, ports, sending), undefined);
}

/** Deletes an item; done as well when there is none. */
export async function deleteItem(key: Key, { table, table_name }: TablePorts): Promise<void> {
  await table.send(new DeleteCommand({ TableName: table_name, Key: key }));
}

/** Deletes an item on a condition. False when it does not hold, or when there is no item. */
export function deleteIf(
  key: Key,
  { condition, values }: Condition,
  { table, table_name }: TablePorts,
): Promise<boolean> {
  return unlessRefused(async () => {
    await table.send(
      new DeleteCommand({
        TableName: table_name,
        Key: key,
        ConditionExpression: condition,
        ExpressionAttributeNames: namesIn([condition]),
        ExpressionAttributeValues: namedValues(values),
      }),
    );
    return true;
  }, false);
}

async function send(
  key: Key,
  { update, condition, names, values, returns }: Update & Partial<Condition>,
  { table, table_name }: TablePorts,
  sending: Sending,
): Promise<Item> {
  const { Attributes } = await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: key,
      UpdateExpression: update,
      ConditionExpression: condition,
      ExpressionAttributeNames: namesIn([update, condition], names),
      ExpressionAttributeValues: namedValues(values),
      ReturnValues: returns,
    }),
    sending,
  );
  return Attributes ?? {};
}

/** The one place that knows DynamoDB's refusal: a condition that does not hold is an answer, no error. */
async function unlessRefused<Answer>(write: () => Promise<Answer>, refused: Answer): Promise<Answer> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return refused;
    throw error;
  }
}
