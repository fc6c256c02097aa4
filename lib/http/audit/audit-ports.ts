import type { Platform } from "#lib/agents/agent/platform.ts";
import type { AuditPorts } from "#lib/http/audit/record-audit.ts";

/** Where a function's audit entries go. */
export function auditPorts({
  table,
  settings,
  runtime,
  authentication,
}: Pick<Platform, "table" | "settings" | "runtime" | "authentication">): AuditPorts {
  if (!authentication) throw new Error("configs/authentication.json says how long audit entries are kept");
  return { table, table_name: settings.table_name, runtime, audit_days: authentication().value.audit_days };
}
