import { BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { Api } from "./api.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { followTask, hasEnded } from "./follow-task.ts";
import { patience } from "./patiently.ts";
import { createTaskDisplay } from "./task-display.ts";
import type { Terminal } from "./terminal.ts";

/** Follow a task to its end and show its steps on the way. */
export async function awaitTask(
  api: Api,
  first: TaskView,
  terminal: Terminal,
  options: { ends_only?: boolean } = {},
): Promise<TaskView> {
  const display = createTaskDisplay(terminal, options);
  try {
    return await followTask(api, first, { ...patience, onOutage: display.notice }, display.update);
  } finally {
    display.stop();
  }
}

/** `build-test/summary.json` of a task; undefined where there is none, or none that can be read. */
export async function readSummary(api: Api, view: TaskView): Promise<BuildTestSummary | undefined> {
  const artifact = view.artifacts.find(({ path }) => path === "build-test/summary.json");
  if (artifact === undefined) return undefined;
  try {
    const text = new TextDecoder().decode(await api.download(artifact.href));
    return BuildTestSummary.loose().safeParse(JSON.parse(text)).data;
  } catch {
    // The verdict stands without it; the artifact list still shows where it is.
    return undefined;
  }
}

/** A task that has not ended is no failure: 0. */
export function exitCodeOf(view: TaskView): ExitCode {
  if (!hasEnded(view) || (view.status === "succeeded" && view.verdict !== "failed")) return exitCode.passed;
  return view.verdict === "error" ? exitCode.error : exitCode.failed;
}
