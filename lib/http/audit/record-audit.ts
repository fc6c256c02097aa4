import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { AuthenticationConfig } from "#schemas/config/authentication.ts";
import { AuditRecord } from "#schemas/records/audit.ts";

export interface AuditPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
  /** `audit_days` of configs/authentication.json. */
  audit_days: number;
}

export interface AuditPlatform {
  table: DynamoDBDocumentClient;
  runtime: Runtime;
  settings: Pick<Settings, "table_name">;
  authentication?(): Loaded<AuthenticationConfig>;
}

/** Where a function's audit entries go, and how long they are kept. */
export function auditPorts({ table, settings, runtime, authentication }: AuditPlatform): AuditPorts {
  if (!authentication) throw new Error("configs/authentication.json says how long audit entries are kept");
  return { table, table_name: settings.table_name, runtime, audit_days: authentication().value.audit_days };
}

/** An entry but for what is filled in here. `entry_id` only where several processes may see one event. */
export type AuditNote = Omit<AuditRecord, "entry_id" | "at" | "expires_at"> & { entry_id?: string };

const DAY_MS = 86_400_000;
const TEXT_CHARACTERS_MAX = 1000;

/** Partition of the table, and of index `by_tenant`, that holds a tenant's trail. */
export function auditPartition(tenant: string): string {
  return `AUDIT#${tenant}`;
}

/**
 * Appends one entry to its tenant's trail and returns it. Nothing in this system changes or deletes
 * an entry; the condition keeps this write from replacing one. An `entry_id` that is there already
 * keeps its first entry. Throws when the table does not take it: then do not do the deed either.
 */
export async function recordAudit(note: AuditNote, ports: AuditPorts): Promise<AuditRecord> {
  const { table, table_name, runtime, audit_days } = ports;
  const now = runtime.now();
  const record = AuditRecord.parse({
    ...note,
    ...(note.detail && { detail: shortened(note.detail) }),
    entry_id: note.entry_id ?? runtime.hex(8),
    at: instant(now),
    expires_at: Math.ceil((now + audit_days * DAY_MS) / 1000),
  });
  const place = { pk: auditPartition(record.tenant), sk: record.entry_id };
  const Item = {
    ...place,
    gsi1pk: auditPartition(record.tenant),
    gsi1sk: `${record.at}#${record.entry_id}`,
    ...record,
  };
  try {
    await table.send(
      new PutCommand({ TableName: table_name, Item, ConditionExpression: "attribute_not_exists(pk)" }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    if (note.entry_id === undefined && !(await isOurs(Item, place, ports))) throw error;
  }
  return record;
}

/** An entry written by us, whose answer was lost and which the SDK sent twice. */
async function isOurs(
  item: Record<string, unknown>,
  Key: { pk: string; sk: string },
  { table, table_name }: AuditPorts,
): Promise<boolean> {
  const { Item } = await table.send(new GetCommand({ TableName: table_name, Key, ConsistentRead: true }));
  return isDeepStrictEqual(Item, item);
}

function shortened(detail: NonNullable<AuditRecord["detail"]>): NonNullable<AuditRecord["detail"]> {
  return Object.fromEntries(
    Object.entries(detail).map(([name, value]) => [
      name,
      typeof value === "string" ? value.slice(0, TEXT_CHARACTERS_MAX) : value,
    ]),
  );
}
