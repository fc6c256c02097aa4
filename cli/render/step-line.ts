import { z } from "zod";
import type { StepView } from "#schemas/http/task-view.ts";
import { count, formatDuration } from "./format.ts";
import { modelUse, spentWords, unstatedRuns } from "./model-use.ts";
import { type Paint, verdictSign } from "./paint.ts";

/** The fields of step outputs worth a word; every agent gives some of them. */
const Output = z.looseObject({
  files: z.number().optional().catch(undefined),
  symbols: z.number().optional().catch(undefined),
  files_changed: z.number().optional().catch(undefined),
  insertions: z.number().optional().catch(undefined),
  deletions: z.number().optional().catch(undefined),
  tests_passed: z.number().optional().catch(undefined),
  tests_failed: z.number().optional().catch(undefined),
  tests_skipped: z.number().optional().catch(undefined),
  exit_code: z.number().optional().catch(undefined),
});

/** `11 passed, 1 failed`: what is zero is left out, passed tests are not. */
export function testCounts(counts: { passed: number; failed: number; skipped: number }): string {
  const parts = [`${counts.passed} passed`];
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
  return parts.join(", ");
}

/** What a step did, in a few words; empty when its output says nothing we know. */
function achievement(step: StepView): string {
  const output = Output.safeParse(step.output ?? {}).data ?? {};
  if (output.tests_passed !== undefined) {
    const { tests_passed: passed, tests_failed: failed = 0, tests_skipped: skipped = 0 } = output;
    if (passed + failed + skipped > 0) return testCounts({ passed, failed, skipped });
    return step.verdict === "passed" ? "no test is known to have run" : "";
  }
  const use = modelUse([step]);
  const spent = use === undefined ? "" : `${spentWords(use)} so far`;
  if (output.files_changed !== undefined) {
    const lines = `+${output.insertions ?? 0} −${output.deletions ?? 0}`;
    return [`${count(output.files_changed, "file")} changed`, lines, spent].filter(Boolean).join(", ");
  }
  if (step.verdict === "passed" && unstatedRuns([step]) > 0) return "use not stated";
  if (step.verdict === "passed" && spent !== "") return spent;
  if (output.files !== undefined) {
    return `${count(output.files, "file")}, ${count(output.symbols ?? 0, "symbol")}`;
  }
  return output.exit_code === undefined ? "" : `exit code ${output.exit_code}`;
}

function remark(step: StepView): string {
  const attempts = step.attempts > 1 ? `attempt ${step.attempts}` : "";
  const done = step.status === "completed" ? achievement(step) : "";
  const ok = step.verdict === "passed";
  const trouble = ok || step.code === undefined ? "" : step.code;
  // Test counts say it all; any other trouble wants its sentence.
  const message = ok || done !== "" ? "" : (step.message ?? "");
  return [done, trouble, message, attempts].filter((part) => part !== "").join("  ");
}

/** `buildtest`, or `buildtest, repair 1` in a later round. */
function stepLabel(step: Pick<StepView, "step" | "round">): string {
  return step.round === 0 ? step.step : `${step.step}, repair ${step.round}`;
}

/** `parked until 14:05:09`, `waiting`: a step that waits says until when, in UTC. */
function statusWords({ status, retry_at }: StepView): string {
  return status === "parked" && retry_at
    ? `parked until ${retry_at.slice(0, 19).replace("T", " ")} UTC`
    : status;
}

/** One line on one step: sign, name, elapsed time, what it did or why it waits. `now` in Unix ms. */
export function stepLine(step: StepView, paint: Paint, now: number, spinner: string): string {
  const running = step.status === "running";
  const ended = step.status === "completed" || step.status === "canceled";
  const sign = ended ? verdictSign(step.verdict, paint) : running ? paint.cyan(spinner) : paint.dim("·");
  const until = step.ended_at === undefined ? now : Date.parse(step.ended_at);
  const elapsed = step.started_at === undefined ? "" : formatDuration(until - Date.parse(step.started_at));
  const status = step.status === "completed" ? "" : paint.dim(statusWords(step));
  const words = [status, remark(step)].filter((part) => part !== "").join("  ");
  return `  ${sign} ${stepLabel(step).padEnd(19)} ${elapsed.padStart(11)}   ${words}`.trimEnd();
}
