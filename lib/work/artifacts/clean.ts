import { cleanObjects } from "#lib/work/artifacts/clean-objects.ts";
import { deleteTask, taskSize } from "#lib/work/artifacts/delete-task.ts";
import { findReferences } from "#lib/work/artifacts/find-references.ts";
import { type BucketPorts, listTenants } from "#lib/work/artifacts/stored-objects.ts";
import type { TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";

export interface CleanPorts extends TaskPorts, BucketPorts {
  retention: ArtifactsConfig;
  /** Told what was found or done, one sentence at a time; `transient` ones only say how far it is. */
  tell(sentence: string, transient: boolean): void;
}

export interface CleanRequest {
  /** Only this one; otherwise all that have anything in the bucket. */
  tenant?: string | undefined;
  /** Ended tasks go after this time already, in ms. */
  older_than_ms?: number | undefined;
  /** Look, and change nothing. */
  dry_run: boolean;
}

export interface Cleaned {
  tenants: number;
  tasks: number;
  objects: number;
  bytes: number;
}

/**
 * Deletes what is past its time: ended tasks, and blobs, uploads and graph snapshots that no record
 * refers to. Open tasks, current snapshots and what they refer to are never touched. Safe to repeat
 * and to kill at any point. Reads the table by queries of one tenant, never by a scan.
 */
export async function clean(request: CleanRequest, ports: CleanPorts): Promise<Cleaned> {
  const sum: Cleaned = { tenants: 0, tasks: 0, objects: 0, bytes: 0 };
  if (request.tenant !== undefined) {
    await cleanTenant(request.tenant, request, sum, ports);
    return sum;
  }
  for await (const tenant of listTenants(ports)) await cleanTenant(tenant, request, sum, ports);
  return sum;
}

async function cleanTenant(
  tenant: string,
  { older_than_ms, dry_run }: CleanRequest,
  sum: Cleaned,
  ports: CleanPorts,
): Promise<void> {
  ports.tell(`${tenant}: reading its records`, true);
  const ended_before_ms = older_than_ms === undefined ? undefined : ports.runtime.now() - older_than_ms;
  const references = await findReferences(tenant, ended_before_ms, ports);
  const counted: Cleaned = { tenants: 1, tasks: 0, objects: 0, bytes: 0 };
  const add = ({ objects, bytes }: { objects: number; bytes: number }) => {
    counted.objects += objects;
    counted.bytes += bytes;
  };
  for (const [index, task] of references.expired_tasks.entries()) {
    ports.tell(`${tenant}: task ${index + 1} of ${references.expired_tasks.length}`, true);
    const size = dry_run ? await taskSize(task, ports) : await deleteTask(task, ports);
    if (!size) continue;
    counted.tasks += 1;
    add(size);
    ports.tell(`${tenant}: task ${task.task_id}, ended ${task.ended_at}: ${size.objects} objects`, false);
  }
  add(await cleanObjects(tenant, references, dry_run, ports));
  for (const name of Object.keys(sum) as (keyof Cleaned)[]) sum[name] += counted[name];
}
