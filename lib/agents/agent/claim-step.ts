import type { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { attemptStep } from "#lib/agents/agent/attempt-step.ts";
import {
  type MessageEnd,
  type MessageMiddleware,
  type ReceivedMessage,
  received,
} from "#lib/agents/agent/message.ts";
import type { EndedStep } from "#lib/agents/agent/record-outcome.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { ParkedFault } from "#lib/platform/errors/fault.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import type { ClaimRequest, ClaimResult } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import { attemptsMaxOf } from "#lib/resilience/retry/retry-policy-for.ts";
import type { StepOutcome, StepRecord } from "#schemas/records/step.ts";

/** Reserved at the end of the invocation for writing the outcome after the work was stopped. */
const CLOSING_MS = 5000;
const LEASE_MS_MIN = 1000;

/** Claims the message's step under a lease. A message received after its deadline claims nothing. */
export function claimStep(agent: Pick<Agent<z.ZodType, z.ZodType>, "name" | "detached">): MessageMiddleware {
  return {
    before: async ({ event }) => {
      const message = received(event);
      const { envelope, platform, lambda, span } = message;
      if (platform.runtime.now() >= Date.parse(envelope.deadline_at)) {
        span.set({ "agents.outcome": "deadline_exceeded" });
        if (!agent.detached || (await agent.detached.sendAnew(envelope, span))) return;
      }
      const lease_ms = Math.max(
        LEASE_MS_MIN,
        Math.min(platform.settings.lease_seconds * 1000, lambda.getRemainingTimeInMillis() - CLOSING_MS),
      );
      const request = claimRequest(agent.name, message, lease_ms);
      const result = await inSpan(
        span,
        { name: `claim ${envelope.step}` },
        platform.runtime,
        async (claiming) => {
          const claimed = await platform.claims.claim(request);
          claiming.set({ "agents.claim": claimed.kind });
          if (claimed.kind === "claimed") span.set({ "agents.attempt": claimed.lease.attempt });
          return claimed;
        },
      );
      event.claim = { key: request.key, result, lease_ms };
    },
  };
}

function claimRequest(
  service: string,
  { envelope, platform, lambda }: ReceivedMessage,
  lease_ms: number,
): ClaimRequest {
  const { tenant, task_id, step, round, idempotency_key, source_hash, deadline_at } = envelope;
  const { runtime } = platform;
  return {
    key: { tenant, task_id, step, round },
    service,
    idempotency_key,
    source_hash,
    expires_at: recordExpiry(deadline_at, platform.artifacts().value),
    owner: `${lambda.functionName}/${lambda.awsRequestId}/${runtime.uuid()}`,
    lease_ms,
    attempts_max: attemptsMaxOf(platform.retryPolicy().value, envelope),
  };
}

/**
 * The innermost part of an agent's stack: runs the claimed step and records its outcome. For a duplicate it returns
 * the recorded outcome; for a canceled or unclaimed step it returns none. Throws a ParkedFault while another worker
 * holds the step.
 */
export function runClaimedStep<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
): (message: ReceivedMessage) => Promise<MessageEnd> {
  return async (message) => {
    if (!message.claim) return {};
    const { key, result, lease_ms } = message.claim;
    if (result.kind !== "claimed") return { ended: await endUnclaimed(message, key, result) };
    return { ended: await attemptStep(agent, message, key, result.lease, lease_ms) };
  };
}

async function endUnclaimed(
  { platform, counters, log, span }: ReceivedMessage,
  key: ClaimKey,
  claim: Exclude<ClaimResult, { kind: "claimed" }>,
): Promise<EndedStep | undefined> {
  switch (claim.kind) {
    case "completed":
      counters.count("duplicates_blocked", key.tenant);
      span.set({ "agents.outcome": "duplicate" });
      log.info("DUPLICATE_BLOCKED", "the step already has an outcome; it is published again");
      return { ...claim.outcome, attempts: claim.attempts };
    case "canceled":
      counters.count("duplicates_blocked", key.tenant);
      span.set({ "agents.outcome": "canceled" });
      log.info("STEP_CANCELED", "the step was canceled; the message is dropped");
      return undefined;
    case "wait": // not counted here: it is counted as a blocked duplicate when it returns
      throw waitingFor(claim, platform.runtime.now());
    case "exhausted":
      counters.count("retries_exhausted", key.tenant);
      return endExhausted(platform.claims, claim.record);
  }
}

/** A duplicate of a running step returns when that step's lease or back-off ends. A message of a parked step waits as long as the step. */
function waitingFor({ until_ms, parked }: ClaimResult & { kind: "wait" }, now_ms: number): ParkedFault {
  if (parked) {
    const message = "the step is parked for a dependency";
    return new ParkedFault("STEP_PARKED", message, { retry_at_ms: until_ms + 1, decided: true });
  }
  return new ParkedFault(
    "STEP_IN_PROGRESS",
    "another worker is running the step, or the step waits for its next attempt",
    {
      retry_after_ms: until_ms - now_ms + 1000,
      decided: true,
    },
  );
}

/** Ends a step whose every attempt crashed without an outcome, so that its task can end. */
async function endExhausted(
  claims: ReceivedMessage["platform"]["claims"],
  record: StepRecord,
): Promise<EndedStep> {
  const last = record.last_error
    ? `; the last one said ${record.last_error.code}: ${record.last_error.message}`
    : "";
  const outcome: StepOutcome = {
    verdict: "error",
    code: "ATTEMPTS_EXHAUSTED" satisfies ErrorCode,
    message: `all ${record.attempts} attempts ended without an outcome${last}`,
    artifacts: [],
    dead_letter: true,
    ...(record.replays?.length && { replay_count: record.replays.length }),
  };
  if (await claims.completeExhausted(record, outcome)) return { ...outcome, attempts: record.attempts };
  throw new ParkedFault("STEP_IN_PROGRESS", "another worker changed the step meanwhile", {
    retry_after_ms: 1000,
    decided: true,
  });
}
