import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { artifactMeta, META_SUFFIX } from "#lib/work/artifacts/artifact-meta.ts";
import { taskEvents } from "#lib/work/tasks/task-events.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { TaskArtifact } from "#schemas/artifacts/task.ts";

export interface TaskFile {
  path: string;
  content: string;
  sha256: string;
  content_type: string;
}

/**
 * `task.json`, `events.jsonl` and their meta files of an ended task: a function of its ledger, so
 * whoever writes them, however often, writes the same bytes.
 */
export function taskFiles({ task, steps }: Ledger, service_version: string): TaskFile[] {
  const { version: _1, updated_at: _2, sealed_at: _3, expires_at: _4, spans: _5, ...lasting } = task;
  const records = steps.map(({ spans: _, ...record }) => record);
  const events = taskEvents({ task, steps }).map((event) => JSON.stringify(event));
  const files = [
    {
      path: "task.json",
      content: `${JSON.stringify(TaskArtifact.parse({ task: lasting, steps: records }), null, 2)}\n`,
      content_type: "application/json",
      schema: "artifact.task",
    },
    {
      path: "events.jsonl",
      content: `${events.join("\n")}\n`,
      content_type: "application/jsonl",
      schema: "artifact.task_event",
    },
  ];
  return files.flatMap(({ schema, ...file }) => {
    const blob = {
      key: artifactKey(task.tenant, task.task_id, file.path),
      sha256: sha256(file.content),
      bytes: Buffer.byteLength(file.content),
    };
    const meta = artifactMeta({
      ...file,
      blob,
      schema,
      envelope: {
        service: "orchestrator",
        role: "worker",
        trace_id: task.trace_id,
        idempotency_key: task.submission_hash,
        source_hash: task.submission_hash,
      },
      service_version,
      created_at_ms: Date.parse(task.ended_at ?? task.created_at),
    });
    const content = `${JSON.stringify(meta, null, 2)}\n`;
    const meta_file = { path: `${file.path}${META_SUFFIX}`, content, content_type: "application/json" };
    return [
      { ...file, sha256: blob.sha256 },
      { ...meta_file, sha256: sha256(content) },
    ];
  });
}
