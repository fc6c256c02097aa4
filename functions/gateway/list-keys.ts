import { keysOfTenant, parseKeyItem } from "#lib/http/auth/key-store.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import type { TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { KeyList } from "#schemas/http/keys.ts";
import { keyView } from "./key-view.ts";
import type { KeyQuery } from "./queries.ts";

/** A tenant's keys, newest first, those that ended lately too. */
export async function listKeys(tenant: string, query: KeyQuery, ports: TaskPorts): Promise<KeyList> {
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const record = parseKeyItem(item);
    return record && !isExpired(record, now) ? keyView(record, now) : undefined;
  };
  const page = await queryPage(keysOfTenant(tenant), { ...query, filters: {}, read }, ports);
  return { keys: page.rows, next_cursor: page.next_cursor };
}
