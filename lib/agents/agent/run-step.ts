import type { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { attemptStep } from "#lib/agents/agent/attempt-step.ts";
import { buryMessage } from "#lib/agents/agent/bury-message.ts";
import type { EndedStep } from "#lib/agents/agent/record-outcome.ts";
import type { Delivery } from "#lib/agents/agent/serve-queue.ts";
import { resolveFailures } from "#lib/agents/dlq/failure-store.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { faultOf, ParkedFault } from "#lib/platform/errors/fault.ts";
import { nudge } from "#lib/platform/messages/nudge.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import type { ClaimRequest, ClaimResult } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import { attemptsMaxOf } from "#lib/resilience/retry/retry-policy-for.ts";
import type { StepOutcome, StepRecord } from "#schemas/records/step.ts";

/** Left of the invocation for writing the outcome after the work was stopped. */
const CLOSING_MS = 5000;

/**
 * One message of an agent: claim the step, run it under the lease, record its outcome, publish,
 * acknowledge. A duplicate finds the recorded outcome and only publishes it again.
 */
export async function runStep<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  delivery: Delivery,
): Promise<void> {
  const { envelope, platform, lambda, span } = delivery;
  const { tenant, task_id, step, round } = envelope;
  const key: ClaimKey = { tenant, task_id, step, round };
  if (platform.runtime.now() >= Date.parse(envelope.deadline_at)) {
    span.set({ "agents.outcome": "deadline_exceeded" });
    if (!agent.detached) return publish(delivery, "replayed");
    if (await agent.detached.sendAnew(envelope, span)) return;
  }

  const lease_ms = Math.max(
    1000,
    Math.min(platform.settings.lease_seconds * 1000, lambda.getRemainingTimeInMillis() - CLOSING_MS),
  );
  const request: ClaimRequest = {
    key,
    service: agent.name,
    idempotency_key: envelope.idempotency_key,
    source_hash: envelope.source_hash,
    expires_at: recordExpiry(envelope.deadline_at, platform.artifacts().value),
    owner: `${lambda.functionName}/${lambda.awsRequestId}/${platform.runtime.uuid()}`,
    lease_ms,
    attempts_max: attemptsMaxOf(platform.retryPolicy().value, envelope),
  };
  const claim = await inSpan(span, { name: `claim ${step}` }, platform.runtime, async (claiming) => {
    const result = await platform.claims.claim(request);
    claiming.set({ "agents.claim": result.kind });
    if (result.kind === "claimed") span.set({ "agents.attempt": result.lease.attempt });
    return result;
  });
  const ended = await settleClaim(agent, delivery, key, claim, lease_ms);
  if (ended?.dead_letter) await bury(delivery, ended);
  else if (ended?.generation) await resolveFailures(envelope, ended.generation, failurePorts(platform));
  if (ended && !agent.detached) await publish(delivery, "step_ended");
}

/** The step's outcome once it has one; undefined when it was canceled; throws to make the message return. */
async function settleClaim<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  delivery: Delivery,
  key: ClaimKey,
  claim: ClaimResult,
  lease_ms: number,
): Promise<EndedStep | undefined> {
  const { platform, counters, log, span } = delivery;
  switch (claim.kind) {
    case "claimed":
      return attemptStep(agent, delivery, key, claim.lease, lease_ms);
    case "completed":
      counters.count("duplicates_blocked", key.tenant);
      span.set({ "agents.outcome": "duplicate" });
      log.info("DUPLICATE_BLOCKED", "the step has its outcome already; it is published again");
      return { ...claim.outcome, attempts: claim.attempts };
    case "canceled":
      counters.count("duplicates_blocked", key.tenant);
      span.set({ "agents.outcome": "canceled" });
      log.info("STEP_CANCELED", "the step was canceled; the message is dropped");
      return undefined;
    case "wait": // it comes back, and counts as blocked when it is
      throw waitingFor(claim, platform.runtime.now());
    case "exhausted":
      return endExhausted(delivery, claim.record);
  }
}

/** A duplicate of a step somebody has in hand looks again when that should be over; a parked step's message waits with it. */
function waitingFor({ until_ms, parked }: ClaimResult & { kind: "wait" }, now_ms: number): ParkedFault {
  if (parked) {
    const message = "the step is parked for a dependency";
    return new ParkedFault("STEP_PARKED", message, { retry_at_ms: until_ms + 1, decided: true });
  }
  return new ParkedFault("STEP_IN_PROGRESS", "the step is running or backing off elsewhere", {
    retry_after_ms: until_ms - now_ms + 1000,
    decided: true,
  });
}

/** Every attempt crashed without a word: end the step, so that its task can end. */
async function endExhausted({ platform }: Delivery, record: StepRecord): Promise<EndedStep> {
  const last = record.last_error
    ? `; the last one said ${record.last_error.code}: ${record.last_error.message}`
    : "";
  const outcome: StepOutcome = {
    verdict: "error",
    code: "ATTEMPTS_EXHAUSTED" satisfies ErrorCode,
    message: `all ${record.attempts} attempts ended without an outcome${last}`,
    artifacts: [],
    dead_letter: true,
    ...(record.replays?.length && { generation: record.replays.length }),
  };
  if (await platform.claims.completeExhausted(record, outcome))
    return { ...outcome, attempts: record.attempts };
  throw new ParkedFault("STEP_IN_PROGRESS", "another worker moved the step meanwhile", {
    retry_after_ms: 1000,
    decided: true,
  });
}

function bury(
  delivery: Delivery,
  { code = "UNEXPECTED", message = "no message", cause, attempts, generation = 0 }: EndedStep,
): Promise<void> {
  const { envelope, counters, log } = delivery;
  counters.count("messages_terminal", envelope.tenant);
  log.error("MESSAGE_DEAD_LETTERED", `message goes to the DLQ: ${message}`, { error_code: code });
  const error = faultOf("terminal", code, message, { cause });
  return buryMessage({ ...delivery, service: envelope.service, error, attempts, generation });
}

function failurePorts({ table, settings, runtime }: Delivery["platform"]) {
  return { table, table_name: settings.table_name, runtime };
}

/** After its deadline a message only asks the orchestrator to look: the task may have a new one. */
async function publish(
  { envelope, platform, span }: Delivery,
  reason: "step_ended" | "replayed",
): Promise<void> {
  const { tenant, task_id, deadline_at } = envelope;
  await nudge({ tenant, task_id, deadline_at, parent: span }, reason, platform);
}
