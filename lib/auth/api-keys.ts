import { timingSafeEqual } from "node:crypto";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { sha256 } from "#lib/artifacts/blobs.ts";
import { instant, type Runtime } from "#lib/runtime/runtime.ts";
import { ApiKeyRecord } from "#schemas/records/api-key.ts";

interface KeyPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
}

const API_KEY = /^dak_([0-9a-f]{16})_([0-9a-f]{64})$/;
/** A revoked key works this much longer at most, in a process that has just seen it. */
const CACHE_MS = 5000;
const CACHE_ENTRIES_MAX = 1000;

const cache = new Map<string, { record: ApiKeyRecord; until_ms: number }>();

function itemKey(key_id: string) {
  return { pk: `KEY#${key_id}`, sk: "KEY" };
}

/** Makes a key for a tenant and returns it; it cannot be read again, only its hash is kept. */
export async function issueApiKey(tenant: string, { table, table_name, runtime }: KeyPorts): Promise<string> {
  const key_id = runtime.hex(8);
  const secret = runtime.hex(32);
  const record: ApiKeyRecord = {
    key_id,
    tenant,
    secret_hash: sha256(secret),
    created_at: instant(runtime.now()),
  };
  await table.send(
    new PutCommand({
      TableName: table_name,
      Item: { ...itemKey(key_id), ...ApiKeyRecord.parse(record) },
      ConditionExpression: "attribute_not_exists(pk)",
    }),
  );
  return `dak_${key_id}_${secret}`;
}

/** The tenant a key belongs to; undefined for any key that is not in force, without saying why. */
export async function tenantOfApiKey(presented: string, ports: KeyPorts): Promise<string | undefined> {
  const [, key_id, secret] = API_KEY.exec(presented) ?? [];
  if (!key_id || !secret) return undefined;
  const record = await readKey(key_id, ports);
  if (!record || record.revoked_at) return undefined;
  const matches = timingSafeEqual(Buffer.from(sha256(secret), "hex"), Buffer.from(record.secret_hash, "hex"));
  return matches ? record.tenant : undefined;
}

async function readKey(key_id: string, { table, table_name, runtime }: KeyPorts) {
  const cached = cache.get(key_id);
  if (cached && cached.until_ms > runtime.now()) return cached.record;
  const found = await table.send(new GetCommand({ TableName: table_name, Key: itemKey(key_id) }));
  if (!found.Item) return undefined;
  const { pk: _pk, sk: _sk, ...item } = found.Item;
  const record = ApiKeyRecord.parse(item);
  if (cache.size >= CACHE_ENTRIES_MAX) cache.clear();
  cache.set(key_id, { record, until_ms: runtime.now() + CACHE_MS });
  return record;
}
