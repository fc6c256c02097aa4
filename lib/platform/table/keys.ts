/** Keys of the one table. Everything of one task shares a partition, so one query reads its ledger. */
export function taskPartition(tenant: string, task_id: string): string {
  return `TASK#${tenant}#${task_id}`;
}

export const TASK_SORT_KEY = "TASK";

export function stepSortKey(step: string, round: number): string {
  return `STEP#${step}#${round}`;
}

/** Partition of index `by_tenant` that lists a tenant's tasks by creation. */
export function tenantTasksPartition(tenant: string): string {
  return `TASKS#${tenant}`;
}

/** Partition of index `by_tenant` that lists a tenant's complete artifact sets. */
export function tenantArtifactsPartition(tenant: string): string {
  return `ARTIFACTS#${tenant}`;
}

/** Place in that list: by completion, so that a range of time is a range of keys. `completed_at` RFC 3339 in UTC. */
export function artifactIndexSortKey(
  { task_id, step, round }: { task_id: string; step: string; round: number },
  completed_at: string,
): string {
  return `${completed_at}#${task_id}#${step}#${round}`;
}

/** Partition of index `by_tenant` that lists a tenant's graph pointers by repository. */
export function tenantGraphsPartition(tenant: string): string {
  return `GRAPHS#${tenant}`;
}

/** Partition of index `by_tenant` that lists a tenant's failures by time. */
export function tenantFailuresPartition(tenant: string): string {
  return `FAILURES#${tenant}`;
}

export const OPEN_PARTITIONS = 8;

/** Partition of index `open_tasks`: tasks that have not ended, by when to look at them next. */
export function openTasksPartition(task_id: string): string {
  return `OPEN#${task_id.charCodeAt(task_id.length - 1) % OPEN_PARTITIONS}`;
}
