import { reportAdvice } from "#lib/code/test-results/test-runners.ts";
import { withoutInline } from "#lib/platform/blobs/inline-blob.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { comesAfter } from "#lib/work/tasks/walk-order.ts";
import type { ArtifactView, StepView, TaskList, TaskView } from "#schemas/http/task-view.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** A task without its steps. It shows as ended only when its artifacts stand in the standard layout. */
export function taskSummary(task: TaskRecord): Omit<TaskList["tasks"][number], "revision"> {
  const sealed = task.sealed_at !== undefined;
  return {
    task_id: task.task_id,
    tenant: task.tenant,
    workflow: task.spec.workflow,
    repository: task.spec.repository,
    status: task.ended_at && !sealed ? "running" : task.status,
    ...(sealed && task.verdict && { verdict: task.verdict }),
    ...(sealed && task.error && { error: task.error }),
    trace_id: task.trace_id,
    created_at: task.created_at,
    deadline_at: task.deadline_at,
    ...(sealed && task.ended_at && { ended_at: task.ended_at }),
  };
}

/** A task as the API shows it. `revision` is a hash of what is shown, so it changes when that does. */
export function taskView({ task, steps }: Ledger, service_version: string): TaskView {
  const notice = task.spec.test === undefined ? null : reportAdvice(task.spec.test);
  const shown = {
    ...taskSummary(task),
    ...(notice !== null && {
      notices: [`without a report of its tests the exit code alone will decide: ${notice}`],
    }),
    steps: stepViews({ task, steps }),
    artifacts: artifactViews({ task, steps }, service_version),
  };
  return { ...shown, revision: sha256(JSON.stringify(shown)).slice(0, 16) };
}

/** In the order of the workflow, whichever of two that ran beside one another was claimed first. */
function stepViews({ task, steps }: Ledger): StepView[] {
  const views: StepView[] = steps.map(stepView);
  for (const dispatched of [task.beside, task.current]) {
    if (!dispatched || task.ended_at) continue;
    const { step, round } = dispatched;
    if (steps.some((record) => record.step === step && record.round === round)) continue;
    const service = task.definition.steps.find((one) => one.step === step)?.agent ?? "unknown";
    views.push({ step, round, service, status: "queued", attempts: 0 });
  }
  const { definition } = task;
  return views.sort((a, b) => Number(comesAfter(definition, a, b)) - Number(comesAfter(definition, b, a)));
}

function stepView(record: StepRecord): StepView {
  const { outcome, last_error } = record;
  const code = outcome ? outcome.code : last_error?.code;
  const message = outcome ? outcome.message : last_error?.message;
  return {
    step: record.step,
    round: record.round,
    service: record.service,
    ...waitOf(record),
    ...(outcome && { verdict: outcome.verdict }),
    ...(code && { code }),
    ...(message && { message }),
    attempts: record.attempts,
    started_at: record.started_at,
    ...(record.ended_at && { ended_at: record.ended_at }),
    ...(outcome?.output && { output: withoutInline(outcome.output) }),
  };
}

function waitOf({
  status,
  retry_at,
  parked_at,
}: StepRecord): Pick<StepView, "status" | "retry_at" | "parked_at"> {
  if (status !== "waiting") return { status };
  const times = retry_at ? { retry_at: instant(retry_at) } : {};
  if (parked_at === undefined) return { status, ...times };
  return { status: "parked", ...times, parked_at: instant(parked_at) };
}

/** Files of completed steps, and the task's own once it is sealed. */
function artifactViews(ledger: Ledger, service_version: string): ArtifactView[] {
  const { task_id } = ledger.task;
  const views = layoutArtifacts(ledger).map((entry) => artifactView(task_id, entry));
  if (!ledger.task.sealed_at) return views;
  return [...views, ...taskFiles(ledger, service_version).map((file) => artifactView(task_id, file))];
}

export function artifactView(task_id: string, { path, blob, content_type }: ManifestEntry): ArtifactView {
  return { path, href: artifactHref(task_id, path), bytes: blob.bytes, sha256: blob.sha256, content_type };
}

function artifactHref(task_id: string, path: string): string {
  return `/artifacts/${task_id}/${path.split("/").map(encodeURIComponent).join("/")}`;
}
