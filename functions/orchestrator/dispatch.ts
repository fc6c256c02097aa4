import { prepareMessage, type SendPrepared } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { type TraceContext, taskTrace } from "#lib/platform/trace/traceparent.ts";
import { moveTask } from "#lib/work/tasks/task-store.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { TracedNudge } from "./advance.ts";
import type { NextStep } from "./decide.ts";
import type { OrchestratorPorts } from "./ports.ts";

const REDISPATCH_SECONDS_MAX = 900;

/**
 * Sends a step's message: once when the step is next, and again when no worker seems to have it (the sweeper found
 * the task overdue, or an earlier delivery of this nudge stopped before sending). The ledger is written first, so
 * only one of two concurrent orchestrators sends. The claim stops a duplicate message.
 */
export async function dispatch(
  task: TaskRecord,
  next: NextStep,
  nudge: TracedNudge,
  ports: OrchestratorPorts,
): Promise<boolean> {
  const now = ports.runtime.now();
  const policy = ports.retryPolicy();
  const { redispatch_seconds } = policy.value;
  const dispatched = task.current?.step === next.step && task.current.round === next.round;
  if (dispatched && !asksAgain(task, nudge)) return true;

  const busy_until_ms = busyUntil(next.record, redispatch_seconds * 1000);
  if (dispatched && busy_until_ms > now) {
    nudge.span.set({ "agents.decision": "wait" });
    const moved = await moveTask(task, {}, checkTime(task, busy_until_ms), ports, nudge.span);
    return moved !== undefined;
  }

  const dispatch_count = dispatched ? (task.current?.dispatch_count ?? 0) + 1 : 1;
  const wait_seconds = Math.min(REDISPATCH_SECONDS_MAX, redispatch_seconds * 2 ** (dispatch_count - 1));
  nudge.span.set({ "agents.decision": dispatched ? "dispatch again" : "dispatch" });
  // Made before the write, which carries the span of the sending, and sent after it.
  const send = prepare(task, next, dispatch_count - 1, parentOf(task, nudge), ports);
  const moved = await moveTask(
    task,
    {
      status: "running",
      current: {
        step: next.step,
        round: next.round,
        dispatched_at: instant(now),
        dispatched_by: nudge.message_id,
        dispatch_count,
      },
    },
    checkTime(task, now + wait_seconds * 1000),
    ports,
    nudge.span,
  );
  if (!moved) return false;
  if (dispatched) ports.counters.count("steps_redispatched", task.tenant);
  await send();
  ports.log.info("STEP_DISPATCHED", `${next.step} round ${next.round} to ${next.service}`, {
    dispatch_count,
    policy_hash: policy.hash,
  });
  return true;
}

/**
 * True when this nudge sends the current step's message again. A redelivered nudge repeats only its own dispatch:
 * otherwise each nudge that returns after a crash would send a copy. A nudge of the sweeper, of a message past its
 * deadline or of a replay sends the message unless it was dispatched since.
 */
function asksAgain(
  { current }: TaskRecord,
  { reason, message_id, issued_at, redelivered }: TracedNudge,
): boolean {
  if (!current) return false;
  if (redelivered && current.dispatched_by === message_id) return true;
  return (reason === "swept" || reason === "replayed") && current.dispatched_at < issued_at;
}

function checkTime(task: TaskRecord, wanted_ms: number): number {
  return Math.min(wanted_ms, Date.parse(task.deadline_at));
}

/** The parent span in the task's trace, even when the nudge came in another trace. */
function parentOf(task: TaskRecord, { span }: TracedNudge): TraceContext {
  return span.trace_id === task.trace_id ? span : taskTrace(task, span.recorder);
}

function prepare(
  task: TaskRecord,
  next: NextStep,
  attempt: number,
  parent: TraceContext,
  ports: OrchestratorPorts,
): SendPrepared {
  return prepareMessage(
    {
      service: next.service,
      tenant: task.tenant,
      task_id: task.task_id,
      step: next.step,
      round: next.round,
      attempt,
      payload: next.input,
      deadline_at: task.deadline_at,
      parent,
      replay_of: next.record?.replays?.at(-1)?.message_id,
    },
    ports,
  );
}

/** Unix ms until which a worker holds the step or it waits for its next attempt; `grace_ms` is added for a waiting step. 0 when neither. */
export function busyUntil(record: StepRecord | undefined, grace_ms: number): number {
  if (record?.status === "running") return record.lease_expires_at + 1000;
  if (record?.status === "waiting") return (record.retry_at ?? 0) + grace_ms;
  return 0;
}
