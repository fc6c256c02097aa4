import { isUtf8 } from "node:buffer";
import { type FileChange, type FileDiff, fileChanges } from "#lib/code/diff/file-diff.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { Api } from "../api.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { hasEnded, readTask } from "../follow-task.ts";
import { withCliErrors } from "./with-cli-errors.ts";

/** The patch of a task that has ended: of the round that was kept. */
export interface TaskPatch {
  view: TaskView;
  bytes: Buffer;
  files: FileDiff[];
  changes: FileChange[];
}

const PATCH_PATH = "codegen/diff.patch";

/** @throws CliError `TASK_UNDER_WAY`, `NO_PATCH`; ProblemError when there is no such task */
export async function readTaskPatch(api: Api, task_id: string): Promise<TaskPatch> {
  const view = await readTask(api, task_id);
  const artifact = view.artifacts.find(({ path }) => path === PATCH_PATH);
  if (!hasEnded(view)) throw underWay(view);
  if (artifact === undefined) throw noPatch(view);
  const bytes = Buffer.from(await fetchArtifact(api, artifact));
  const files = await withCliErrors(() => parseDiff(bytes).flat());
  return { view, bytes, files, changes: fileChanges(files) };
}

function underWay({ task_id, status }: TaskView): CliError {
  const message = `${task_id} is ${status}: its patch may still change.`;
  return new CliError(exitCode.failed, "TASK_UNDER_WAY", message, {
    hints: [`Wait for its end: agents status ${task_id} --wait`],
  });
}

function noPatch({ task_id, workflow, error, status }: TaskView): CliError {
  const why = error ? `${error.code}: ${error.message}` : `it is of the workflow ${workflow} and ${status}`;
  return new CliError(exitCode.failed, "NO_PATCH", `${task_id} has no patch (${why}).`, {
    hints: [
      "A patch is made by a task that changes its source: agents submit <source> --prompt, --codemod or --patch.",
    ],
  });
}

/** @throws CliError `VERDICT_NOT_PASSED`, unless forced */
export function requirePassed({ view }: TaskPatch, force: boolean | undefined): void {
  if (view.verdict === "passed" || force) return;
  const message = `${view.task_id} did not pass: ${shortfall(view)}.`;
  throw new CliError(exitCode.failed, "VERDICT_NOT_PASSED", message, {
    hints: [`See what failed: agents status ${view.task_id}`, "Take its patch all the same: --force"],
  });
}

/** Why a task did not pass, without a full stop; empty when it did. */
export function shortfall({ verdict, status, error }: TaskView): string {
  if (verdict === "passed") return "";
  return error ? `${error.code}: ${error.message.replace(/\.$/, "")}` : `it is ${verdict ?? status}`;
}

/** The patch for a JSON document, which carries text only. */
export function patchField(bytes: Buffer): { patch: string } | { patch_base64: string } {
  return isUtf8(bytes) ? { patch: bytes.toString("utf8") } : { patch_base64: bytes.toString("base64") };
}
