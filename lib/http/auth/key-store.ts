import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { ApiKeyRecord } from "#schemas/records/api-key.ts";

export interface KeyPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
  /** What secrets are hashed with. */
  pepper: string;
}

type TablePorts = Omit<KeyPorts, "pepper">;

/** A key that stopped working stays visible for so long. */
const GONE_SECONDS = 90 * 86_400;

/** Where a key's record is; index `by_tenant` lists a tenant's by creation. */
function keyPlace(key_id: string) {
  return { pk: `KEY#${key_id}`, sk: "KEY" };
}

/** Partition of index `by_tenant` that lists a tenant's keys. */
export function tenantKeysPartition(tenant: string): string {
  return `KEYS#${tenant}`;
}

/** A key item as a record; undefined for one of an older version, which opens nothing any more. */
export function parseKeyItem(item: Record<string, unknown>): ApiKeyRecord | undefined {
  const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, ...record } = item;
  return ApiKeyRecord.safeParse(record).data;
}

/** Writes a new key. Throws when its id is taken. */
export async function putKey(record: ApiKeyRecord, { table, table_name }: TablePorts): Promise<void> {
  const Item = {
    ...keyPlace(record.key_id),
    gsi1pk: tenantKeysPartition(record.tenant),
    gsi1sk: `${record.created_at}#${record.key_id}`,
    ...withExpiry(ApiKeyRecord.parse(record)),
  };
  await table.send(
    new PutCommand({ TableName: table_name, Item, ConditionExpression: "attribute_not_exists(pk)" }),
  );
}

/** A key's record; undefined when there is none. Strongly consistent, so a new key works at once. */
export async function readKey(
  key_id: string,
  { table, table_name, runtime }: TablePorts,
): Promise<ApiKeyRecord | undefined> {
  const found = await table.send(
    new GetCommand({ TableName: table_name, Key: keyPlace(key_id), ConsistentRead: true }),
  );
  const record = found.Item && parseKeyItem(found.Item);
  return record && !isExpired(record, runtime.now()) ? record : undefined;
}

type Change = Partial<
  Pick<ApiKeyRecord, "valid_until" | "replaced_by" | "revoked_at" | "revoked_by" | "last_used_at">
>;

/**
 * Sets fields of a tenant's key, on condition that none of `absent` is set. True when it was done:
 * by this write, or by the same one sent twice by the SDK because its first answer was lost.
 */
export async function changeKey(
  { key_id, tenant }: Pick<ApiKeyRecord, "key_id" | "tenant">,
  change: Change,
  absent: readonly (keyof Change)[],
  ports: TablePorts,
): Promise<boolean> {
  const { table, table_name } = ports;
  const set = Object.entries(withExpiry(change));
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: keyPlace(key_id),
        UpdateExpression: `SET ${set.map((_, index) => `#s${index} = :s${index}`).join(", ")}`,
        ConditionExpression: [
          "tenant = :tenant",
          ...absent.map((_, index) => `attribute_not_exists(#a${index})`),
        ].join(" AND "),
        ExpressionAttributeNames: {
          ...Object.fromEntries(set.map(([name], index) => [`#s${index}`, name])),
          ...Object.fromEntries(absent.map((name, index) => [`#a${index}`, name])),
        },
        ExpressionAttributeValues: {
          ":tenant": tenant,
          ...Object.fromEntries(set.map(([, value], index) => [`:s${index}`, value])),
        },
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found = await readKey(key_id, ports);
    return found?.tenant === tenant && isDeepStrictEqual({ ...found, ...change }, found);
  }
}

/** A key that has an end is forgotten some time after it. */
function withExpiry<Fields extends Change>(fields: Fields): Fields & { expires_at?: number } {
  const end = fields.revoked_at ?? fields.valid_until;
  if (end === undefined) return fields;
  return { ...fields, expires_at: Math.ceil(Date.parse(end) / 1000) + GONE_SECONDS };
}
