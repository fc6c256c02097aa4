import { createHash } from "node:crypto";
import { type StepView, TaskView } from "#schemas/http/task-view.ts";

export const TASK_ID = "task_01k0000000000000000000000a";
export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const START = Date.parse("2026-11-22T10:00:00.000Z");

/** An instant some seconds after the fake task was accepted. */
export function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

/** One step that has ended, or with `status` given is under way. */
export function fakeStep(step: string, fields: Partial<StepView> = {}): StepView {
  const ended = { status: "completed", verdict: "passed", ended_at: at(2) } as const;
  const base = { step, round: 0, service: step, attempts: 1, started_at: at(1) };
  return { ...base, ...(fields.status === undefined ? ended : {}), ...fields } as StepView;
}

/** A task as the API would show it; checked against the schema, so that the fake cannot drift. */
export function fakeView(fields: Partial<TaskView> = {}): TaskView {
  return TaskView.parse({
    task_id: TASK_ID,
    tenant: "local",
    workflow: "change",
    repository: "default",
    status: "running",
    trace_id: TRACE_ID,
    revision: String(Math.random()),
    created_at: at(0),
    deadline_at: "2999-01-01T00:00:00.000Z",
    steps: [],
    artifacts: [],
    ...fields,
  });
}

/** Entries of the artifact list for some files. */
export function fakeArtifacts(files: Record<string, string>): TaskView["artifacts"] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    href: `/artifacts/${TASK_ID}/${path}`,
    bytes: Buffer.byteLength(text),
    sha256: createHash("sha256").update(text).digest("hex"),
    content_type: "text/plain",
  }));
}
