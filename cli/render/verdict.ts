import type { BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import { hasEnded } from "../follow-task.ts";
import { count, formatDuration } from "./format.ts";
import { modelUse, spentWords, unstatedRuns } from "./model-use.ts";
import { type Paint, verdictSign } from "./paint.ts";
import { testCounts } from "./step-line.ts";

interface VerdictOptions {
  /** Lines of the first failure that are shown. */
  excerpt_lines_max: number;
}

function excerpt(text: string, paint: Paint, lines_max: number): string[] {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, lines_max).map((line) => `    ${paint.red("│")} ${line}`);
  const rest = lines.length - shown.length;
  return rest > 0 ? [...shown, paint.dim(`    … ${rest} more: agents logs <task>`)] : shown;
}

function why(view: TaskView, summary: BuildTestSummary | undefined): string[] {
  if (view.verdict === "passed") return [];
  const error = view.error;
  const step = error?.step === undefined ? "" : ` (step ${error.step})`;
  const sentence = error ? [`  ${error.code}: ${error.message}${step}`] : [];
  // The task's error often is the report's reason word for word.
  if (summary && summary.verdict !== "passed" && summary.reason !== error?.message) {
    sentence.push(`  ${summary.reason}`);
  }
  return sentence;
}

/**
 * How a task ended: verdict and total time, why it did not pass, tests and the first failure.
 * `summary` is `build-test/summary.json`, where the task has one.
 */
export function verdictLines(
  view: TaskView,
  summary: BuildTestSummary | undefined,
  paint: Paint,
  { excerpt_lines_max }: VerdictOptions = { excerpt_lines_max: 16 },
): string[] {
  if (!hasEnded(view)) return [`${paint.dim("·")} ${paint.bold(view.status)}  ${view.task_id}`];
  const word = view.status === "canceled" ? "canceled" : (view.verdict ?? view.status);
  const elapsed_ms = Date.parse(view.ended_at ?? view.created_at) - Date.parse(view.created_at);
  const head = `${verdictSign(view.status === "canceled" ? undefined : view.verdict, paint)} ${paint.bold(word)} in ${formatDuration(elapsed_ms)}`;
  const lines = [`${head}  ${paint.dim(view.task_id)}`, ...why(view, summary)];
  const use = modelUse(view.steps);
  const unstated = unstatedRuns(view.steps);
  const not_stated = unstated > 0 ? [`${count(unstated, "run")} of the coding agent not stated`] : [];
  const known = use ? [count(use.rounds, "round"), spentWords(use)] : [];
  if (use || unstated > 0) lines.push(`  Model: ${[...known, ...not_stated].join(", ")}`);
  if (summary) {
    const { tests_passed: passed, tests_failed: failed, tests_skipped: skipped } = summary;
    if (passed + failed + skipped > 0) lines.push(`  Tests: ${testCounts({ passed, failed, skipped })}`);
    if (summary.test_notice && summary.verdict === "passed") {
      lines.push(`  ${paint.yellow("Note:")} ${summary.test_notice}`);
    } else if (summary.test_notice && !summary.reason.includes(summary.test_notice)) {
      lines.push(`  ${summary.test_notice}`);
    }
    if (summary.first_failure !== null && summary.verdict !== "passed") {
      lines.push("  First failure:", ...excerpt(summary.first_failure, paint, excerpt_lines_max));
    }
  }
  return lines;
}
