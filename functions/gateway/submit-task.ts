import { HttpError } from "#lib/platform/errors/http-error.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { prepareNudge, type SendPrepared } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { inSpan, type Span } from "#lib/platform/trace/span.ts";
import { formatTraceparent, type TraceContext, taskTrace } from "#lib/platform/trace/traceparent.ts";
import { definitionFor } from "#lib/work/tasks/definition-for.ts";
import { taskIdFrom } from "#lib/work/tasks/task-id.ts";
import { createTask } from "#lib/work/tasks/task-store.ts";
import type { Submission } from "#schemas/messages/submission.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { type Allowed, checkSubmission } from "./check-submission.ts";
import { checkIdempotencyKey } from "./idempotency-key.ts";
import type { GatewayPorts } from "./ports.ts";
import { storeSubmission } from "./store-submission.ts";

interface Submitted {
  submission: Submission;
  tenant: string;
  /** The client's `Idempotency-Key` header. */
  idempotency_key: string | undefined;
  /** Absent: no restriction. */
  allowed?: Allowed;
  trace: TraceContext & Partial<Pick<Span, "set">>;
  log: Log;
}

/** An accepted task, and whether an earlier request had it accepted. */
interface Accepted {
  task: TaskRecord;
  repeated: boolean;
}

/**
 * Accepts a task. Its id is derived from the tenant and the `Idempotency-Key`, so a repeated request finds the task
 * of the first. The task is accepted when the write that creates it has succeeded. If the nudge to the orchestrator
 * is lost, the sweeper sends it later.
 */
export async function submitTask(
  { submission, tenant, idempotency_key, allowed, trace, log }: Submitted,
  ports: GatewayPorts,
): Promise<Accepted> {
  checkIdempotencyKey(idempotency_key);
  const definition = checkSubmission({ submission, tenant, allowed }, ports);
  const spec = await inSpan(trace, { name: "store submission" }, ports.runtime, (span) =>
    storeSubmission(submission, tenant, { ...ports, blobsOf: (owner) => ports.blobsOf(owner, span) }),
  );
  const now = ports.runtime.now();
  const task: TaskRecord = {
    tenant,
    task_id: taskIdFrom(tenant, idempotency_key ?? ports.runtime.hex(16)),
    status: "accepted",
    spec,
    definition: definitionFor(definition, spec.change?.kind),
    submission_hash: sourceHash(submission),
    trace_id: trace.trace_id,
    traceparent: formatTraceparent(trace),
    ...(trace.tracestate && { tracestate: trace.tracestate }),
    version: 1,
    created_at: instant(now),
    updated_at: instant(now),
    deadline_at: instant(now + submission.deadline_seconds * 1000),
  };
  const policy = ports.retryPolicy();
  const check_ms = now + policy.value.redispatch_seconds * 1000;
  const attributes = { "agents.workflow": spec.workflow };
  trace.set?.({ "http.response.status_code": 202 }); // as it stands in the write; a failure after it is told apart
  let sendNudge: SendPrepared | undefined;
  const existing = await inSpan(trace, { name: "accept task", attributes }, ports.runtime, (span) => {
    sendNudge = prepareNudge({ ...task, parent: trace }, "accepted", ports);
    return createTask(task, check_ms, ports, span);
  });
  const accepted = existing ? sameTask(existing, task, now) : task;
  if (!existing) {
    log.info("TASK_ACCEPTED", `task ${task.task_id} accepted`, {
      task_id: task.task_id,
      workflow: spec.workflow,
      policy_hash: policy.hash,
      workflows_hash: ports.workflowsHash?.(),
    });
  }
  // The first nudge of a repeated submission may have been lost; a second nudge does no harm.
  if (accepted.status === "accepted") {
    trace.recorder?.belongsTo(accepted);
    const again = existing && { ...existing, parent: taskTrace(existing, trace.recorder) };
    const send = again ? prepareNudge(again, "accepted", ports) : sendNudge;
    await send?.().catch((error: unknown) =>
      log.warn("NUDGE_LOST", `the sweeper will dispatch it: ${String(error)}`, { task_id: task.task_id }),
    );
  }
  return { task: accepted, repeated: existing !== undefined };
}

function sameTask(existing: TaskRecord, task: TaskRecord, now: number): TaskRecord {
  if (isExpired(existing, now)) {
    throw new HttpError(
      "IDEMPOTENCY_KEY_EXPIRED",
      "this Idempotency-Key belongs to a task that is being deleted after its time; take a new key",
    );
  }
  if (existing.submission_hash === task.submission_hash) return existing;
  throw new HttpError(
    "IDEMPOTENCY_MISMATCH",
    `this Idempotency-Key was used for another body, which became task ${existing.task_id}`,
  );
}
