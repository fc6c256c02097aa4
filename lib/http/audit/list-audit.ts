import { auditPartition } from "#lib/http/audit/record-audit.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import type { TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { AuditList } from "#schemas/http/audit-list.ts";
import { AuditRecord } from "#schemas/records/audit.ts";

export interface AuditFilter {
  limit: number;
  cursor?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  target?: string | undefined;
}

/** A trail, newest first. Throws HttpError 400 `CURSOR_INVALID`. */
export async function listAudit(
  tenant: string,
  { action, subject, target, ...paging }: AuditFilter,
  ports: TaskPorts,
): Promise<AuditList> {
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, ...fields } = item;
    const { expires_at, ...entry } = AuditRecord.parse(fields);
    const wanted =
      !isExpired({ expires_at }, now) &&
      (action === undefined || entry.action === action || entry.action.startsWith(`${action}.`)) &&
      (subject === undefined || entry.subject === subject) &&
      (target === undefined || entry.target === target);
    return wanted ? entry : undefined;
  };
  const filters = { action, subject, target };
  const page = await queryPage(auditPartition(tenant), { ...paging, filters, read }, ports);
  return { entries: page.rows, next_cursor: page.next_cursor };
}
