import type { TaskView } from "#schemas/http/task-view.ts";
import { awaitTask, exitCodeOf, readSummary } from "./await-task.ts";
import type { ExitCode } from "./exit-code.ts";
import { hasEnded } from "./follow-task.ts";
import { artifactTree } from "./render/artifact-tree.ts";
import { stepLine } from "./render/step-line.ts";
import { verdictLines } from "./render/verdict.ts";
import type { Session } from "./session.ts";

interface ConcludeOptions {
  wait: boolean;
  /** Show the steps too, where they were not followed. */
  steps: boolean;
}

/** Follow a task if asked to, then show where it stands. Answers the exit code. */
export async function conclude(
  session: Session,
  first: TaskView,
  options: ConcludeOptions,
): Promise<ExitCode> {
  const { api, terminal } = session;
  const reattach = `agents status ${first.task_id} --wait`;
  session.interruptHints = [`${first.task_id} goes on without you. Follow it again: ${reattach}`];
  const followed = options.wait && !hasEnded(first);
  const view = options.wait ? await awaitTask(api, first, terminal) : first;
  const summary = hasEnded(view) ? await readSummary(api, view) : undefined;
  session.answer(view, () => {
    const { paint } = terminal;
    const lines = verdictLines(view, summary, paint);
    if (options.steps && !followed && !options.wait) {
      lines.push(...view.steps.map((step) => stepLine(step, paint, Date.now(), "·")));
    }
    if (view.artifacts.length > 0 || hasEnded(view)) {
      lines.push("", paint.bold("Artifacts"), ...artifactTree(view.artifacts, paint, { url: api.url }));
    }
    if (!hasEnded(view)) lines.push(paint.dim(`Follow it: ${reattach}`));
    return lines;
  });
  return exitCodeOf(view);
}
