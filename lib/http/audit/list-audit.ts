import { AUDIT_ENTRY } from "#lib/platform/table/items.ts";
import { type Item, listOf, recordFields } from "#lib/platform/table/keys.ts";
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
  const read = (item: Item) => {
    const { expires_at, ...entry } = AuditRecord.parse(recordFields(item));
    const wanted =
      !isExpired({ expires_at }, now) &&
      (action === undefined || entry.action === action || entry.action.startsWith(`${action}.`)) &&
      (subject === undefined || entry.subject === subject) &&
      (target === undefined || entry.target === target);
    return wanted ? entry : undefined;
  };
  const filters = { action, subject, target };
  const trail = listOf(AUDIT_ENTRY, "by_tenant", { tenant });
  const page = await queryPage(trail, { ...paging, filters, read }, ports);
  return { entries: page.rows, next_cursor: page.next_cursor };
}
