import type { Loaded } from "#lib/platform/config/config-file.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { AUDIT_ENTRY } from "#lib/platform/table/items.ts";
import { keyOf, listingOf } from "#lib/platform/table/keys.ts";
import { NEW, putIf, putIfOurs, type TableClient, type TablePorts } from "#lib/platform/table/operations.ts";
import type { AuthenticationConfig } from "#schemas/config/authentication.ts";
import { AuditRecord } from "#schemas/records/audit.ts";

export interface AuditPorts extends TablePorts {
  runtime: Runtime;
  /** `audit_days` of configs/authentication.json. */
  audit_days: number;
}

export interface AuditPlatform {
  table: TableClient;
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

/**
 * Appends one entry to its tenant's trail and returns it. Nothing in this system changes or deletes
 * an entry; the condition keeps this write from replacing one. An `entry_id` that is there already
 * keeps its first entry. Throws when the table does not take it: then do not do the action either.
 */
export async function recordAudit(note: AuditNote, ports: AuditPorts): Promise<AuditRecord> {
  const { runtime, audit_days } = ports;
  const now = runtime.now();
  const record = AuditRecord.parse({
    ...note,
    ...(note.detail && { detail: shortened(note.detail) }),
    entry_id: note.entry_id ?? runtime.hex(8),
    at: instant(now),
    expires_at: Math.ceil((now + audit_days * DAY_MS) / 1000),
  });
  const item = {
    ...keyOf(AUDIT_ENTRY, record),
    ...listingOf(AUDIT_ENTRY, "by_tenant", record),
    ...record,
  };
  if (note.entry_id !== undefined) await putIf(item, NEW, ports);
  else if (!(await putIfOurs(item, NEW, ports)).written) {
    throw new Error(`the id ${record.entry_id} of a new audit entry is taken`);
  }
  return record;
}

function shortened(detail: NonNullable<AuditRecord["detail"]>): NonNullable<AuditRecord["detail"]> {
  return Object.fromEntries(
    Object.entries(detail).map(([name, value]) => [
      name,
      typeof value === "string" ? value.slice(0, TEXT_CHARACTERS_MAX) : value,
    ]),
  );
}

/**
 * Records an audit entry `ordered`, then runs the action, so that no action is unrecorded. If the action throws, a
 * second entry `failed` is recorded. If the process dies in between, only `ordered` remains, and the action may or
 * may not have run.
 */
export async function withAudit<Result>(
  note: Omit<AuditNote, "outcome" | "of">,
  ports: AuditPorts,
  action: () => Promise<Result>,
): Promise<Result> {
  const { entry_id } = await recordAudit({ ...note, outcome: "ordered" }, ports);
  try {
    return await action();
  } catch (error) {
    const { entry_id: _, ...same } = note;
    const detail = { ...note.detail, reason: error instanceof Error ? error.message : String(error) };
    // If the action failed, rethrow its error even when the audit write fails too.
    await recordAudit({ ...same, detail, outcome: "failed", of: entry_id }, ports).catch(() => undefined);
    throw error;
  }
}
