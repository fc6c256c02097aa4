import type {
  ReplayCounts,
  ReplayList,
  ReplayPreview,
  ReplayResultList,
  ReplayView,
} from "#schemas/http/replays.ts";
import { diffLines } from "./diff-lines.ts";
import { count } from "./format.ts";
import type { Paint } from "./paint.ts";

const OUTCOMES = [
  "pending",
  "sent",
  "succeeded",
  "failed_again",
  "removed",
  "kept",
  "permanently_failed",
  "discarded",
  "not_found",
] as const satisfies (keyof ReplayCounts)[];

/** `3 succeeded, 1 kept`: the outcomes that there are. */
function countsText(counts: ReplayCounts): string {
  const parts = OUTCOMES.flatMap((name) => (counts[name] > 0 ? [`${counts[name]} ${name}`] : []));
  return parts.length > 0 ? parts.join(", ") : "nothing yet";
}

/** One job on one line: what it is, how far it is, and what came of it. */
export function replayLine(view: ReplayView, paint: Paint): string {
  const { replay_id, action, state, counts, because, says } = view;
  const why = because === null ? "" : `  ${because}: ${says ?? ""}`;
  const done = counts.total - counts.pending;
  return `${sign(view, paint)} ${replay_id}  ${action} ${state}  ${done} of ${counts.total}  ${countsText(counts)}${why}`;
}

function sign({ state }: ReplayView, paint: Paint): string {
  if (state === "completed") return paint.green("✓");
  return state === "failed" || state === "aborted" ? paint.red("✗") : paint.yellow("·");
}

/** A job after a command, and what can be done next. */
export function replayLines(view: ReplayView, paint: Paint): string[] {
  const hints: Partial<Record<ReplayView["state"], string>> = {
    awaiting_approval: `Another operator must approve ${count(view.matched ?? 0, "failure")} before ${view.approve_before}: agents replays approve ${view.replay_id}`,
    paused: `Go on with it: agents replays resume ${view.replay_id}`,
    failed: `Try again: agents replays resume ${view.replay_id}`,
  };
  const hint = hints[view.state];
  const kept = view.counts.kept + view.counts.permanently_failed + view.counts.failed_again;
  const more = kept > 0 ? [paint.dim(`Why, message by message: agents replays show ${view.replay_id}`)] : [];
  return [replayLine(view, paint), ...(hint ? [paint.dim(hint)] : []), ...more];
}

export function replayTable({ replays, next_cursor }: ReplayList, paint: Paint): string[] {
  const more = next_cursor === null ? [] : [paint.dim(`More: agents replays list --cursor ${next_cursor}`)];
  if (replays.length === 0) return [paint.dim("No replay jobs."), ...more];
  return [...replays.map((view) => replayLine(view, paint)), ...more];
}

export function resultTable(
  { results, next_cursor }: ReplayResultList,
  replay_id: string,
  paint: Paint,
): string[] {
  const lines = results.map(({ failure, queue, outcome, reason, says }) => {
    const why = reason === null ? "" : `  ${reason}: ${says ?? ""}`;
    return `  ${outcome.padEnd(18)} ${queue.padEnd(12)} ${failure}${why}`;
  });
  const more =
    next_cursor === null ? [] : [paint.dim(`More: agents replays show ${replay_id} --cursor ${next_cursor}`)];
  return [...lines, ...more];
}

/** What a job would do: counts by what is expected, then message by message. */
export function previewLines(preview: ReplayPreview, paint: Paint): string[] {
  const { matched, messages, by_expectation, truncated, needs_approval, action } = preview;
  const counts = Object.entries(by_expectation).map(([name, number]) => `${number} ${name}`);
  const lines = messages.flatMap(({ failure, queue, code, expectation, reason, says, diff }) => [
    `  ${expectation.padEnd(18)} ${queue.padEnd(12)} ${code}  ${failure}  ${reason}: ${says}`,
    ...(diff ? diffLines(Buffer.from(diff), paint) : []),
  ]);
  return [
    paint.bold(`Would ${action} ${count(matched, "failure")}: ${counts.join(", ") || "none matches"}.`),
    ...(truncated ? [paint.dim("There are more; the selection's limit is reached.")] : []),
    ...(needs_approval ? [paint.dim("A second operator must approve such a job.")] : []),
    ...lines,
    ...(matched > messages.length ? [paint.dim(`… and ${matched - messages.length} more`)] : []),
  ];
}
