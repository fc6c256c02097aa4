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

export const OPEN_PARTITIONS = 8;

/** Partition of index `open_tasks`: tasks that have not ended, by when to look at them next. */
export function openTasksPartition(task_id: string): string {
  return `OPEN#${task_id.charCodeAt(task_id.length - 1) % OPEN_PARTITIONS}`;
}
