import { isDeepStrictEqual } from "node:util";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import { API_KEY } from "#lib/platform/table/items.ts";
import {
  type Item,
  keyOf,
  listingOf,
  listOf,
  type Partition,
  recordFields,
} from "#lib/platform/table/keys.ts";
import { getItem, NEW, putIf, type TablePorts, updateIf } from "#lib/platform/table/operations.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import { ApiKeyRecord } from "#schemas/records/api-key.ts";

interface StorePorts extends TablePorts {
  runtime: Runtime;
}

export interface KeyPorts extends StorePorts {
  /** What secrets are hashed with. */
  pepper: string;
}

/** The list of a tenant's keys by when they were created. */
export function keysOfTenant(tenant: string): Partition {
  return listOf(API_KEY, "by_tenant", { tenant });
}

/** A key item as a record; undefined for one of an older version, which opens nothing any more. */
export function parseKeyItem(item: Item): ApiKeyRecord | undefined {
  return ApiKeyRecord.safeParse(recordFields(item)).data;
}

/** Writes a new key. Throws when its id is taken. */
export async function putKey(record: ApiKeyRecord, ports: StorePorts): Promise<void> {
  const item = {
    ...keyOf(API_KEY, record),
    ...listingOf(API_KEY, "by_tenant", record),
    ...withExpiry(ApiKeyRecord.parse(record)),
  };
  if (!(await putIf(item, NEW, ports))) throw new Error(`the key id ${record.key_id} is taken`);
}

/** A key's record; undefined when there is none. Strongly consistent, so a new key works at once. */
export async function readKey(key_id: string, ports: StorePorts): Promise<ApiKeyRecord | undefined> {
  const found = await getItem(keyOf(API_KEY, { key_id }), ports);
  const record = found && parseKeyItem(found);
  return record && !isExpired(record, ports.runtime.now()) ? record : undefined;
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
  ports: StorePorts,
): Promise<boolean> {
  const { expression, values } = assignments(withExpiry(change));
  const written = await updateIf(
    keyOf(API_KEY, { key_id }),
    {
      update: `SET ${expression}`,
      condition: ["tenant = :tenant", ...absent.map((name) => `attribute_not_exists(#${name})`)].join(
        " AND ",
      ),
      values: { ...values, tenant },
    },
    ports,
  );
  if (written) return true;
  const found = await readKey(key_id, ports);
  return found?.tenant === tenant && isDeepStrictEqual({ ...found, ...change }, found);
}

/** A key that has an end is forgotten some time after it. */
function withExpiry<Fields extends Change>(fields: Fields): Fields & { expires_at?: number } {
  const end = fields.revoked_at ?? fields.valid_until;
  return end === undefined ? fields : { ...fields, expires_at: expiryOf(API_KEY, Date.parse(end)) };
}
