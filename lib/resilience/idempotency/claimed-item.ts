import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";

export interface ClaimPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
}

/** Proof of a claim. Every later write is conditional on owner and fence, so whoever lost it changes nothing. */
export interface Token {
  owner: string;
  /** Fencing token: grows with every claim (Kleppmann, "How to do distributed locking", 2016). */
  fence: number;
  /** Which attempt this is, from 1. */
  attempt: number;
}

/** What every record that can be claimed has; any other status than these two is an ended one. */
export interface ClaimedRecord {
  status: string;
  source_hash: string;
  owner: string;
  fence: number;
  attempts: number;
  /** Unix time in ms. */
  lease_expires_at: number;
  /** Unix time in ms before which a waiting record is not claimed. */
  retry_at?: number | undefined;
}

type Values = Record<string, unknown>;

/** One item of the table that is claimed, and how it is read. */
export interface ClaimedItem<Item extends ClaimedRecord> {
  key: { pk: string; sk: string };
  /** For messages, as in `step codegen`. */
  name: string;
  parse(item: Values): Item;
}

/** One conditional write to one item. `names` besides `#status`. */
export interface ItemWrite {
  update: string;
  condition: string;
  names?: Record<string, string>;
  values: Values;
}

export async function readItem<Item extends ClaimedRecord>(
  item: ClaimedItem<Item>,
  { table, table_name }: ClaimPorts,
): Promise<Item | undefined> {
  const found = await table.send(
    new GetCommand({ TableName: table_name, Key: item.key, ConsistentRead: true }),
  );
  return found.Item ? item.parse(found.Item) : undefined;
}

/** The record as written, or undefined when the condition did not hold. */
export async function writeItem<Item extends ClaimedRecord>(
  item: ClaimedItem<Item>,
  write: ItemWrite,
  ports: ClaimPorts,
): Promise<Item | undefined> {
  const written = await send(item, write, "ALL_NEW", ports);
  return written && item.parse(written);
}

/** What DynamoDB returns of the write, or undefined when the condition did not hold. */
async function send(
  { key }: Pick<ClaimedItem<ClaimedRecord>, "key">,
  { update, condition, names, values }: ItemWrite,
  returned: "ALL_NEW" | "NONE",
  { table, table_name }: ClaimPorts,
): Promise<Values | undefined> {
  try {
    const { Attributes = {} } = await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: key,
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeNames: { "#status": "status", ...names },
        ExpressionAttributeValues: values,
        ReturnValues: returned,
      }),
    );
    return Attributes;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/**
 * A write on the owner's token. When it is refused, reading again tells a lost lease from a write
 * of ours that took, lost its answer and was sent twice by the SDK: `took` says so of the record.
 */
export async function writeAsOwner<Item extends ClaimedRecord>(
  item: ClaimedItem<Item>,
  token: Token,
  { update, values, names }: Omit<ItemWrite, "condition">,
  took: (record: Item) => boolean,
  ports: ClaimPorts,
): Promise<void> {
  const written = await send(
    item,
    {
      update,
      condition: "#owner = :owner AND fence = :fence AND #status = :running",
      names: { ...names, "#owner": "owner" },
      values: { ...values, ":owner": token.owner, ":fence": token.fence, ":running": "running" },
    },
    "NONE",
    ports,
  );
  if (written) return;
  const record = await readItem(item, ports);
  const ours = record?.owner === token.owner && record.fence === token.fence;
  if (!(record && ours && took(record))) throw new LeaseLost(item.name);
}

/** Parts of an update that write `fields`: each only when it is not there yet, or whatever is there. */
export function assignments(fields: Values, when: "absent" | "always" = "absent") {
  const names: Record<string, string> = {};
  const values: Values = {};
  const parts = Object.entries(fields).map(([name, value]) => {
    names[`#${name}`] = name;
    values[`:${name}`] = value;
    return `#${name} = ${when === "absent" ? `if_not_exists(#${name}, :${name})` : `:${name}`}`;
  });
  return { names, values, expression: parts.join(", ") };
}
