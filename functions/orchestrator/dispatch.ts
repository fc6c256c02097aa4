import { prepareMessage, type SendPrepared } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { type TraceContext, taskTrace } from "#lib/platform/trace/traceparent.ts";
import { editedPayload } from "#lib/resilience/idempotency/step-item.ts";
import { moveTask } from "#lib/work/tasks/task-store.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { Dispatched, TaskRecord } from "#schemas/records/task.ts";
import type { TracedNudge } from "./advance.ts";
import type { NextStep } from "./decide.ts";
import type { OrchestratorPorts } from "./ports.ts";

const REDISPATCH_SECONDS_MAX = 900;

/** What is to be done about one of the next steps. */
interface Plan {
  next: NextStep;
  /** `rest`: its message was sent. `wait`: this nudge asks for it again, and a worker has it. */
  action: "send" | "wait" | "rest";
  /** Unix ms at which the sweeper is to look at it. */
  check_ms: number;
  dispatch_count: number;
}

/**
 * Sends the messages of the next steps: each once when its step is next, and again when no worker seems to have it
 * (the sweeper found the task overdue, or an earlier delivery of this nudge stopped before sending). The ledger is
 * written first, so only one of two concurrent orchestrators sends. The claim stops a duplicate message.
 */
export async function dispatch(
  task: TaskRecord,
  steps: readonly NextStep[],
  nudge: TracedNudge,
  ports: OrchestratorPorts,
): Promise<boolean> {
  const now = ports.runtime.now();
  const policy = ports.retryPolicy();
  const plans = steps.map((next) => planStep(task, next, nudge, policy.value.redispatch_seconds, now));
  if (plans.every(({ action }) => action === "rest")) {
    nudge.span.recorder?.changedNothing?.();
    return true;
  }
  const sends = plans.filter(({ action }) => action === "send");
  const changes: Partial<TaskRecord> = sends.length > 0 ? { status: "running" } : {};
  for (const { next, dispatch_count } of sends) {
    changes[next.is_beside ? "beside" : "current"] = {
      step: next.step,
      round: next.round,
      dispatched_at: instant(now),
      dispatched_by: nudge.message_id,
      dispatch_count,
    };
  }
  const check_ms = Math.min(...plans.map((plan) => plan.check_ms));
  nudge.span.set({ "agents.decision": decisionOf(sends) });
  // Made before the write, which carries the spans of the sending, and sent after it.
  const prepared = sends.map(({ next, dispatch_count }) => ({
    next,
    dispatch_count,
    send: prepare(task, next, dispatch_count - 1, parentOf(task, nudge), ports),
  }));
  const moved = await moveTask(task, changes, checkTime(task, check_ms), ports, nudge.span);
  if (!moved) return false;
  for (const { next, dispatch_count, send } of prepared) {
    if (dispatch_count > 1) ports.counters.count("steps_redispatched", task.tenant);
    await send();
    ports.log.info("STEP_DISPATCHED", `${next.step} round ${next.round} to ${next.service}`, {
      dispatch_count,
      policy_hash: policy.hash,
    });
  }
  return true;
}

function decisionOf(sends: readonly Plan[]): string {
  if (sends.length === 0) return "wait";
  return sends.some(({ dispatch_count }) => dispatch_count === 1) ? "dispatch" : "dispatch again";
}

function planStep(
  task: TaskRecord,
  next: NextStep,
  nudge: TracedNudge,
  redispatch_seconds: number,
  now: number,
): Plan {
  const dispatched = [task.current, task.beside].find(
    (one) => one?.step === next.step && one.round === next.round,
  );
  const waitMs = (count: number) =>
    1000 * Math.min(REDISPATCH_SECONDS_MAX, redispatch_seconds * 2 ** (count - 1));
  if (!dispatched) return { next, action: "send", check_ms: now + waitMs(1), dispatch_count: 1 };
  const { dispatch_count } = dispatched;
  const busy_until_ms = busyUntil(next.record, redispatch_seconds * 1000);
  const busy = busy_until_ms > now;
  if (!asksAgain(dispatched, nudge)) {
    const sent_until_ms = Date.parse(dispatched.dispatched_at) + waitMs(dispatch_count);
    return {
      next,
      action: "rest",
      check_ms: busy ? busy_until_ms : Math.max(now, sent_until_ms),
      dispatch_count,
    };
  }
  if (busy) return { next, action: "wait", check_ms: busy_until_ms, dispatch_count };
  const again = dispatch_count + 1;
  return { next, action: "send", check_ms: now + waitMs(again), dispatch_count: again };
}

/**
 * True when this nudge sends a step's message again. A redelivered nudge repeats only its own dispatch:
 * otherwise each nudge that returns after a crash would send a copy. A nudge of the sweeper, of a message past its
 * deadline or of a replay sends the message unless it was dispatched since.
 */
function asksAgain(
  dispatched: Dispatched,
  { reason, message_id, issued_at, redelivered }: TracedNudge,
): boolean {
  if (redelivered && dispatched.dispatched_by === message_id) return true;
  return (reason === "swept" || reason === "replayed") && dispatched.dispatched_at < issued_at;
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
  const edited = editedPayload(next.record);
  return prepareMessage(
    {
      service: next.service,
      tenant: task.tenant,
      task_id: task.task_id,
      step: next.step,
      round: next.round,
      attempt,
      payload: edited === undefined ? next.input : JSON.parse(edited),
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
