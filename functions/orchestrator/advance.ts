import type { ReceivedMessage } from "#lib/agents/agent/message.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { idempotencyKey } from "#lib/platform/hash/source-hash.ts";
import { stepSourceHash } from "#lib/platform/messages/envelope.ts";
import { readPayload } from "#lib/platform/messages/send-envelope.ts";
import type { SendPrepared } from "#lib/platform/messages/send-message.ts";
import { countedMetric } from "#lib/platform/metrics/catalogue.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { inSpan, type Span } from "#lib/platform/trace/span.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { StepIdentity } from "#lib/resilience/idempotency/step-item.ts";
import { type Ledger, moveTask, readLedger } from "#lib/work/tasks/task-store.ts";
import { prepareDelivery } from "#lib/work/webhooks/delivery.ts";
import { openDeliveries } from "#lib/work/webhooks/delivery-store.ts";
import { AdvancePayload } from "#schemas/messages/envelope.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { decide, type Finished, type NextStep } from "./decide.ts";
import { dispatch } from "./dispatch.ts";
import type { OrchestratorPorts } from "./ports.ts";

/** Serves one message of queue `orchestrator`. Throws TerminalFault `PAYLOAD_INVALID` when it is not a nudge. */
export async function serveNudge(
  { envelope, record, span }: ReceivedMessage,
  ports: OrchestratorPorts,
): Promise<void> {
  const payload = AdvancePayload.safeParse(await readPayload(envelope, ports));
  if (!payload.success) throw new TerminalFault("PAYLOAD_INVALID", "not a nudge", { cause: payload.error });
  const redelivered = Number(record.attributes.ApproximateReceiveCount) > 1;
  await advance({ ...envelope, reason: payload.data.reason, redelivered, trace: span }, ports);
}

export interface Nudge {
  tenant: string;
  task_id: string;
  reason: AdvancePayload["reason"];
  message_id: string;
  issued_at: string;
  /** True when SQS delivered this nudge before. That attempt may have stopped before it sent its message, so it is sent again. */
  redelivered: boolean;
  /** Parent of the spans of the decision and of sent messages; default: the task's root, unrecorded. */
  trace?: TraceContext;
}

const RACES_MAX = 10;

/**
 * Advances a task as far as possible now: reads its ledger, decides, writes, sends. A call that loses a race to
 * another one reads the ledger again, so concurrent calls for one task have the same result as one call.
 */
export async function advance(nudge: Nudge, ports: OrchestratorPorts): Promise<void> {
  const attributes = { "agents.nudge.reason": nudge.reason };
  await inSpan(nudge.trace, { name: "advance", attributes }, ports.runtime, (span) =>
    advanceInSpan({ ...nudge, span }, ports),
  );
}

/** A nudge with the span that records its decision. */
export type TracedNudge = Nudge & { span: Span };

async function advanceInSpan(nudge: TracedNudge, ports: OrchestratorPorts): Promise<void> {
  for (let races = 0; races < RACES_MAX; races += 1) {
    const ledger = await readLedger(nudge.tenant, nudge.task_id, ports);
    nudge.span.set({ "agents.races": races });
    if (!ledger) throw new TerminalFault("TASK_UNKNOWN", `there is no task ${nudge.task_id}`);
    if (await advanceOnce(ledger, nudge, ports)) return;
  }
  throw new RetryableFault(
    "TASK_CONTENDED",
    `task ${nudge.task_id} was changed by others ${RACES_MAX} times meanwhile`,
  );
}

/** False when another process changed the task meanwhile, so that it must be read again. */
async function advanceOnce(ledger: Ledger, nudge: TracedNudge, ports: OrchestratorPorts): Promise<boolean> {
  const { task } = ledger;
  const { span } = nudge;
  span.set({ "agents.decision": "none" });
  if (task.sealed_at) {
    span.recorder?.changedNothing?.();
    return true;
  }
  if (task.ended_at) return seal(ledger, span, ports);
  const next = decide(ledger);
  if (next.kind === "finished") return finish(ledger, next, span, ports);
  const [first] = next.steps;
  span.set({ "agents.step": first.step, "agents.round": first.round });
  const stopped = stopReason(task, ports.runtime.now());
  if (!stopped) return dispatch(task, next.steps, nudge, ports);
  for (const step of next.steps) {
    const fenced =
      step.record?.status === "canceled" || (await ports.claims.cancel(stepIdentity(task, step, ports)));
    if (!fenced) return false; // the step ended meanwhile: the step that is next now must be canceled instead
  }
  return stop(task, stopped, span, ports);
}

type Ending = Pick<TaskRecord, "status" | "verdict" | "error">;

function ending({ verdict, error }: Finished): Ending {
  return { status: verdict === "passed" ? "succeeded" : "failed", verdict, ...(error && { error }) };
}

function stopReason(task: TaskRecord, now_ms: number): Ending | undefined {
  if (task.cancel_requested_at) return { status: "canceled" };
  if (now_ms < Date.parse(task.deadline_at)) return undefined;
  const message = `the task did not end before its deadline ${task.deadline_at}`;
  const step = task.current?.step;
  return {
    status: "failed",
    verdict: "error",
    error: { code: "DEADLINE_EXCEEDED" satisfies ErrorCode, message, ...(step && { step }) },
  };
}

/**
 * Ends and seals a task whose steps have all ended, in one write at the end. Its ending follows from the outcomes of its
 * steps, which do not change, so orchestrators that do this at the same time write the same artifacts. What others may
 * still write to the task is not in them: which step was dispatched last, and a request to cancel that came too late.
 */
async function finish(
  ledger: Ledger,
  finished: Finished,
  span: Span,
  ports: OrchestratorPorts,
): Promise<boolean> {
  const { current: _1, beside: _2, cancel_requested_at: _too_late, ...lasting } = ledger.task;
  const end = ending(finished);
  span.set({ "agents.decision": "finish", "agents.task.status": end.status });
  const task: TaskRecord = { ...lasting, ...end, ended_at: lastEnd(ledger) };
  const sealed = await seal({ ...ledger, task }, span, ports);
  if (sealed) tellEnd(task, ports);
  return sealed;
}

/** When the last step ended. */
function lastEnd({ steps }: Ledger): string {
  const ends = steps.flatMap(({ ended_at }) => ended_at ?? []).sort();
  const last = ends.at(-1);
  if (last === undefined) throw new RangeError("a task without an ended step is not finished");
  return last;
}

/** Ends a task before its steps have. Written before it is sealed, because what it ends with depends on the time. */
async function stop(task: TaskRecord, end: Ending, span: Span, ports: OrchestratorPorts): Promise<boolean> {
  span.set({ "agents.decision": "finish", "agents.task.status": end.status });
  const now = ports.runtime.now();
  const check_ms = now + ports.retryPolicy().value.redispatch_seconds * 1000;
  const ended = await moveTask(task, { ...end, ended_at: instant(now) }, check_ms, ports, span);
  if (!ended) return false;
  tellEnd(ended, ports);
  const ledger = await readLedger(task.tenant, task.task_id, ports);
  return ledger ? seal(ledger, span, ports) : true;
}

function tellEnd(
  { status, error, tenant, created_at, ended_at }: TaskRecord,
  ports: OrchestratorPorts,
): void {
  ports.counters.count(countedMetric(`tasks_${status}`), tenant);
  const took_ms = Date.parse(ended_at ?? created_at) - Date.parse(created_at);
  ports.counters.duration("task", tenant, Math.max(0, took_ms));
  ports.log.info("TASK_ENDED", `task ended: ${status}`, { status, error_code: error?.code });
}

/** Copies the ended task's artifacts into the standard layout, then marks the task as sealed, which shows it as ended. */
async function seal(ledger: Ledger, parent: Span, ports: OrchestratorPorts): Promise<boolean> {
  if (ledger.task.sealed_at) return true;
  return inSpan(parent, { name: "seal" }, ports.runtime, async (span) => {
    await ports.writeStandardLayout(ledger);
    const deliveries = await openDeliveries(ledger.task, ports);
    const sends = deliveries.map((delivery) => ({ delivery, send: prepareDelivery(delivery, span, ports) }));
    const sealed_at = instant(ports.runtime.now());
    const expires_at = recordExpiry(ledger.task.deadline_at, ports.artifacts().value);
    const sealed = await moveTask(ledger.task, { sealed_at, expires_at }, undefined, ports, span);
    if (sealed) await announce(sends, ports);
    return sealed !== undefined;
  });
}

/** The claim key and source hash that an agent uses for this step. */
function stepIdentity(
  { tenant, task_id, deadline_at }: TaskRecord,
  next: NextStep,
  { artifacts }: Pick<OrchestratorPorts, "artifacts">,
): StepIdentity {
  const { step, round, service, input } = next;
  const source_hash = stepSourceHash(service, input);
  return {
    key: { tenant, task_id, step, round },
    service,
    source_hash,
    expires_at: recordExpiry(deadline_at, artifacts().value),
    idempotency_key: idempotencyKey({ tenant, task_id, step, round, source_hash }),
  };
}

/** Sends the webhook deliveries of an ended task. Deliveries not sent here are sent later by the sweeper. */
async function announce(
  sends: readonly { delivery: DeliveryRecord; send: SendPrepared }[],
  ports: OrchestratorPorts,
): Promise<void> {
  for (const { delivery, send } of sends) {
    await send().catch((error: unknown) =>
      ports.log.warn("DELIVERY_NOT_SENT", `the sweeper will send ${delivery.step}: ${String(error)}`, {
        webhook_id: delivery.webhook_id,
      }),
    );
  }
}
