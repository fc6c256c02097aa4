import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { TaskView } from "#schemas/http/task-view.ts";
import { describeIssue } from "#schemas/issue-sentence.ts";
import { Submission } from "#schemas/messages/submission.ts";
import type { Api } from "./api.ts";
import { UsageError } from "./cli-error.ts";
import { patience, patiently } from "./patiently.ts";
import type { Terminal } from "./terminal.ts";

/** Check a submission before anything is sent for it. @throws UsageError naming what is wrong */
export function checkSubmission(submission: z.input<typeof Submission>): void {
  const parsed = Submission.safeParse(submission);
  if (parsed.success) return;
  throw new UsageError("This cannot be submitted.", ...parsed.error.issues.map(describeIssue));
}

/**
 * Submit a task. It carries an idempotency key in any case, so that asking again after a broken
 * connection never makes a second task.
 */
export function submitTask(
  api: Api,
  submission: z.input<typeof Submission>,
  idempotency_key: string | undefined,
  terminal: Terminal,
): Promise<TaskView> {
  const headers = { "idempotency-key": idempotency_key ?? `cli-${randomUUID()}` };
  const submit = () => api.post(TaskView, "/api/tasks", { body: submission, headers });
  // Without an upload before it, this is the first request: a wrong URL must be told at once.
  if (submission.source.kind !== "upload") return submit();
  return patiently(submit, { ...patience, onOutage: (notice) => terminal.lines(`  ! ${notice}`) });
}
