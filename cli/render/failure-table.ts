import type {
  DeadLetterQueues,
  FailureDetail,
  FailureEdited,
  FailureGroups,
  FailureList,
  FailuresImported,
  Freshness,
} from "#schemas/http/dead-letters.ts";
import { diffLines } from "./diff-lines.ts";
import { count, formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";

function freshLine({ as_of, swept_at }: Freshness, paint: Paint): string {
  const swept = swept_at === null ? "not read yet for messages that SQS moved" : `read last at ${swept_at}`;
  return paint.dim(`As of ${as_of}; the queues were ${swept}.`);
}

function ago(at: string): string {
  return `${formatDuration(Date.now() - Date.parse(at))} ago`;
}

/** One line a failure, latest first. */
export function failureTable(list: FailureList, again: string, paint: Paint): string[] {
  const { failures, next_cursor, freshness } = list;
  const more = next_cursor === null ? [] : [paint.dim(`More: ${again} --cursor ${next_cursor}`)];
  if (failures.length === 0)
    return [paint.dim("No failures like that."), ...more, freshLine(freshness, paint)];
  const lines = failures.map(({ failure, state, queue, code, message, last_at, tenant }) => {
    const sign = state === "open" ? paint.yellow("·") : state === "permanently_failed" ? paint.red("✗") : "–";
    return `${sign} ${queue.padEnd(12)} ${code}  ${ago(last_at)}  ${tenant}  ${failure}  ${message}`;
  });
  return [...lines, ...more, freshLine(freshness, paint)];
}

/** One line a kind of failure, the largest first. */
export function groupTable({ groups, counted, truncated, freshness }: FailureGroups, paint: Paint): string[] {
  if (groups.length === 0) return [paint.dim("No failures like that."), freshLine(freshness, paint)];
  const lines = groups.map(({ count: members, queue, code, fingerprint, first_at, last_at, message }) => {
    const times = `first ${ago(first_at)}, last ${ago(last_at)}`;
    return `${String(members).padStart(6)}  ${queue.padEnd(12)} ${code}  ${fingerprint.slice(0, 12)}  ${times}  ${message}`;
  });
  const more = truncated ? [paint.dim(`Only ${counted} were counted; narrow the filter.`)] : [];
  return [...lines, ...more, freshLine(freshness, paint)];
}

/** One line a queue that is not empty. */
export function queueTable({ queues, freshness }: DeadLetterQueues, paint: Paint): string[] {
  const full = queues.filter(({ depth, messages }) => depth > 0 || (messages ?? 0) > 0);
  if (full.length === 0) return [paint.green("✓ no failure waits"), freshLine(freshness, paint)];
  const lines = full.map(({ queue, depth, permanently_failed, messages, oldest_at, trend }) => {
    const oldest = oldest_at === null ? "" : `  oldest ${ago(oldest_at)}`;
    const sqs = messages === null ? "" : `  ${count(messages, "message")} in SQS`;
    const hours = trend.slice(-6).join(" ");
    return `${String(depth).padStart(6)}  ${queue.padEnd(12)}${sqs}  ${permanently_failed} permanent${oldest}  by hour: ${hours}`;
  });
  return [...lines, freshLine(freshness, paint)];
}

/** All that is known of one failure. */
export function failureLines(detail: FailureDetail, paint: Paint): string[] {
  const { failure, state, queue, tenant, code, message, fingerprint, task_id, step, round, trace_id } =
    detail;
  const { replay, policy, circuits, artifacts, attempts, replays, receives, function_name, request_id } =
    detail;
  const facts: [string, string | null][] = [
    ["queue", queue],
    ["tenant", tenant],
    [
      "task",
      task_id === null ? null : `${task_id}${detail.task_status === null ? "" : ` (${detail.task_status})`}`,
    ],
    [
      "step",
      step === null
        ? null
        : `${step}#${round}${detail.step_status === null ? "" : ` (${detail.step_status})`}`,
    ],
    ["trace", trace_id],
    ["replay of", detail.replay_of],
    ["edited from", detail.edited_from],
    ["replayed as", detail.replayed_as],
    ["settled by", detail.settled_by],
    ["fingerprint", fingerprint],
    ["first", detail.first_at],
    ["last", detail.last_at],
    [
      "tries",
      `${attempts}, replayed ${replays} times${receives === null ? "" : `, received ${receives} times`}`,
    ],
    ["function", `${function_name} (request ${request_id})`],
    [
      "policy",
      policy.changed ? `${policy.at_failure.slice(0, 12)}, now ${policy.now.slice(0, 12)}` : "as now",
    ],
    [
      "circuits",
      circuits.map((one) => `${one.key}: ${one.at_failure ?? "unknown"}, now ${one.now}`).join("; ") || null,
    ],
    ["artifacts", artifacts.map(({ path }) => path).join(" ") || null],
    ["discarded", detail.discarded_because],
  ];
  return [
    paint.bold(`${code}: ${message}`),
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(12)}${value}`])),
    ...detail.cause_chain.map((cause) => `  caused by   ${cause}`),
    ...lineageLines(detail, paint),
    ...detail.attempts_timeline.map(({ at, kind, says }) => `  ${at}  ${kind.padEnd(10)}  ${says}`),
    `${failure} is ${state}. A replay: ${replay.expectation}, ${replay.reason}: ${replay.says}`,
    ...(detail.trace_href === null || task_id === null ? [] : [paint.dim(`See agents trace ${task_id}`)]),
    freshLine(detail.freshness, paint),
  ];
}

/** The edit that a failure has to do with, and its difference. */
function lineageLines({ edit, failure }: FailureDetail, paint: Paint): string[] {
  if (edit === null) return [];
  const whose =
    edit.failure === failure ? "This message was edited" : `The message of ${edit.failure} was edited`;
  const by = `${edit.by === null ? "" : ` by ${edit.by}`}${edit.why === null ? "" : `: ${edit.why}`}`;
  return [`  ${whose} at ${edit.at}${by}`, ...diffText(edit.diff, paint)];
}

function diffText(diff: string, paint: Paint): string[] {
  return diffLines(Buffer.from(diff), paint);
}

export function editLines(
  { diff, expectation, reason, says, sent, message_id }: FailureEdited,
  paint: Paint,
): string[] {
  const did = sent ? `${paint.green("✓")} sent as ${message_id}` : `Would ${expectation}`;
  return [
    ...(diff === "" ? ["The payload is the same."] : diffText(diff, paint)),
    `${did}: ${reason}: ${says}`,
  ];
}

export function importLines({ results }: FailuresImported, paint: Paint): string[] {
  const lines = results.map(({ failure, did, says }) => `  ${did.padEnd(9)} ${failure}  ${says}`);
  const counts = [...Map.groupBy(results, ({ did }) => did)].map(([did, { length }]) => `${length} ${did}`);
  return [
    ...lines,
    paint.bold(`${count(results.length, "line")}: ${counts.join(", ") || "nothing to import"}.`),
  ];
}
