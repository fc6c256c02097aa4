import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { type LayoutFile, metaFile, textFile } from "#lib/work/artifacts/artifact-meta.ts";
import { placesOf, withTaskSummary } from "#lib/work/artifacts/layout.ts";
import { taskEvents } from "#lib/work/tasks/task-events.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { TaskArtifact } from "#schemas/artifacts/task.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";

/**
 * `task.json`, `events.jsonl` and their meta files of an ended task: a function of its ledger, so
 * whoever writes them, however often, writes the same bytes.
 */
export function taskFiles(of: Ledger, service_version: string): LayoutFile[] {
  const ledger = withTaskSummary(of);
  const { task } = ledger;
  const { version: _1, updated_at: _2, sealed_at: _3, expires_at: _4, spans: _5, ...lasting } = task;
  const record = TaskArtifact.parse({ task: lasting, steps: stepsInPlace(ledger) });
  const events = taskEvents(ledger).map((event) => JSON.stringify(event));
  const files = [
    {
      file: textFile("task.json", `${JSON.stringify(record, null, 2)}\n`, "application/json"),
      schema: "artifact.task",
    },
    {
      file: textFile("events.jsonl", `${events.join("\n")}\n`, "application/jsonl"),
      schema: "artifact.task_event",
    },
  ];
  return files.flatMap(({ file, schema }) => [
    file,
    metaFile({
      path: file.path,
      blob: file.blob,
      content_type: file.content_type,
      schema,
      producer: { service: "orchestrator", role: "worker", version: service_version },
      trace_id: task.trace_id,
      idempotency_key: task.submission_hash,
      source_hash: task.submission_hash,
      created_at: task.ended_at ?? task.created_at,
    }),
  ]);
}

/** The steps with manifests that lead to the files of the layout: the bytes stand there, and not in `task.json` again. */
function stepsInPlace(ledger: Ledger): StepRecord[] {
  const { tenant, task_id } = ledger.task;
  const places = placesOf(ledger);
  const inPlace = (entry: ManifestEntry): ManifestEntry => {
    const { key, sha256, bytes } = entry.blob;
    const path = places.get(entry);
    return { ...entry, blob: { key: path ? artifactKey(tenant, task_id, path) : key, sha256, bytes } };
  };
  return ledger.steps.map(({ spans: _, ...step }) =>
    step.outcome
      ? { ...step, outcome: { ...step.outcome, artifacts: step.outcome.artifacts.map(inPlace) } }
      : step,
  );
}
