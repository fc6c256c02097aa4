import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { TASK } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { keyRange } from "#lib/platform/table/time-range.ts";
import type { TaskCounts } from "#schemas/http/metrics-summary.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** Accepted tasks of so long are counted. */
const HOURS = 24;
/** A page of the index is 1 MB, some hundreds of tasks. */
const PAGES_MAX = 20;

/**
 * Counts a tenant's tasks of the last 24 hours by how they ended, from the ledger itself: each task once, whatever
 * crashed or was repeated. The index follows the ledger within a second or so.
 */
export async function countTasks(
  tenant: string,
  ports: TablePorts & { runtime: Pick<Runtime, "now"> },
): Promise<TaskCounts> {
  const since = instant(ports.runtime.now() - HOURS * 3_600_000);
  const counts: TaskCounts = { accepted_since: since, open: 0, ended: {}, verdicts: {}, complete: true };
  const attributes = ["sealed_at", "#status", "verdict"];
  let pages = 0;
  const list = listOf(TASK, "by_tenant", { tenant });
  const range = keyRange({ since });
  for await (const { items, last } of queryPages(list, { backwards: true, attributes, range }, ports)) {
    for (const item of items) addTask(counts, item as Partial<TaskRecord>);
    pages += 1;
    if (pages === PAGES_MAX) return { ...counts, complete: last === undefined };
  }
  return counts;
}

/** As the API shows it: a task has ended once it is sealed. */
function addTask(counts: TaskCounts, { sealed_at, status, verdict }: Partial<TaskRecord>): void {
  if (!sealed_at || !status) {
    counts.open += 1;
    return;
  }
  counts.ended[status] = (counts.ended[status] ?? 0) + 1;
  if (verdict) counts.verdicts[verdict] = (counts.verdicts[verdict] ?? 0) + 1;
}
