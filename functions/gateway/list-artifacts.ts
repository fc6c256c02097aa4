import { parseStepItem } from "#lib/idempotency/step-item.ts";
import { tenantArtifactsPartition } from "#lib/tasks/keys.ts";
import { queryPage } from "#lib/tasks/query-page.ts";
import { artifactView } from "#lib/tasks/task-view.ts";
import type { ArtifactIndex } from "#schemas/http/task-view.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { Paging } from "./list-tasks.ts";
import type { GatewayPorts } from "./ports.ts";
import { findTask } from "./read-task.ts";

/** The complete artifact sets of a tenant, or of one of its tasks, newest first. */
export async function listArtifacts(
  tenant: string,
  { task, ...paging }: Paging & { task?: string | undefined },
  ports: GatewayPorts,
): Promise<ArtifactIndex> {
  if (task !== undefined) {
    const { steps } = await findTask(tenant, task, ports);
    const entries = steps.filter((step) => step.outcome).map(indexEntry);
    return { entries: entries.reverse(), next_cursor: null };
  }
  const { items, next_cursor } = await queryPage(tenantArtifactsPartition(tenant), paging, ports);
  return { entries: items.map(parseStepItem).map(indexEntry), next_cursor };
}

function indexEntry(step: StepRecord): ArtifactIndex["entries"][number] {
  return {
    tenant: step.tenant,
    task_id: step.task_id,
    step: step.step,
    round: step.round,
    producer: step.service,
    verdict: step.outcome?.verdict ?? "error",
    completed_at: step.ended_at ?? step.started_at,
    artifacts: (step.outcome?.artifacts ?? []).map((entry) => artifactView(step.task_id, entry)),
  };
}
