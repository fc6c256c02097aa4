import { z } from "zod";
import type { Agent, AgentContext, AgentResult } from "#lib/agent/agent.ts";
import type { Delivery } from "#lib/agent/serve-queue.ts";
import { artifactWriter } from "#lib/artifacts/artifact-writer.ts";
import { failureFacts } from "#lib/dlq/failure.ts";
import { dispositionOf } from "#lib/errors/disposition-of.ts";
import {
  Fault,
  ParkedFault,
  RejectedInput,
  RetryableFault,
  TerminalFault,
  ThrottledFault,
} from "#lib/errors/fault.ts";
import type { ClaimKey, Lease } from "#lib/idempotency/claims.ts";
import { keepLease } from "#lib/idempotency/lease-keeper.ts";
import { LeaseLost } from "#lib/idempotency/lease-lost.ts";
import { readPayload } from "#lib/messages/send-envelope.ts";
import { backoffMs } from "#lib/retry/backoff.ts";
import { failSpan, inSpan, type Span } from "#lib/trace/span.ts";
import type { ManifestEntry, StepOutcome } from "#schemas/records/step.ts";

const CLOSING_MS = 5000;

/** A step's outcome, and in the invocation that ran it what lay behind an error. */
export interface EndedStep extends StepOutcome {
  cause?: unknown;
}

/** Runs a claimed step and records how it ended: an outcome, or its release to be tried again. */
export async function attemptStep<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  delivery: Delivery,
  key: ClaimKey,
  lease: Lease,
  lease_ms: number,
): Promise<EndedStep> {
  const { platform, counters, log } = delivery;
  const { claims, runtime } = platform;
  const stop = new AbortController();
  const keeper = keepLease({
    name: `step ${key.step}`,
    leaseMs: () => lease_ms,
    renew: (length_ms) => claims.renew(key, lease, length_ms),
    onLost: (error) => stop.abort(error),
    runtime,
  });
  const done = new AbortController();
  const closing_ms = Math.max(1, delivery.lambda.getRemainingTimeInMillis() - CLOSING_MS);
  runtime.sleep(closing_ms, done.signal).then(
    () => stop.abort(new RetryableFault("INVOCATION_ENDING", "the invocation's time is nearly over")),
    () => undefined, // the step ended first
  );
  try {
    log.info("STEP_STARTED", `attempt ${lease.attempt} of ${key.step}`, {
      attempt: lease.attempt,
      policy_hash: platform.retryPolicy().hash,
    });
    const started = runtime.now();
    const attributes = { "agents.attempt": lease.attempt };
    const outcome = await inSpan(delivery.span, { name: `run ${key.step}`, attributes }, runtime, (span) =>
      runAgent(agent, delivery, { attempt: lease.attempt, signal: stop.signal, run_span: span }),
    );
    stop.signal.throwIfAborted();
    counters.duration("step", key.tenant, runtime.now() - started);
    return await record(outcome, delivery, key, lease);
  } catch (thrown) {
    const error = stop.signal.aborted ? stop.signal.reason : thrown;
    if (error instanceof LeaseLost) throw error;
    return await recordFailure(error, delivery, key, lease);
  } finally {
    done.abort();
    keeper.stop();
  }
}

async function runAgent<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  delivery: Delivery,
  { attempt, signal, run_span }: { attempt: number; signal: AbortSignal; run_span: Span },
): Promise<StepOutcome> {
  const { envelope, platform, log, counters } = delivery;
  const { runtime, settings } = platform;
  const blobs = platform.blobsOf(envelope.tenant, run_span);
  const { writer, manifest } = artifactWriter({
    blobs,
    envelope,
    service_version: settings.service_version,
    now: runtime.now,
  });
  const input = agent.input.safeParse(await readPayload(envelope, { blobsOf: () => blobs }));
  if (!input.success) {
    throw new TerminalFault(
      "PAYLOAD_INVALID",
      `not an input of ${agent.name}: ${z.prettifyError(input.error)}`,
    );
  }
  const span: AgentContext["span"] = (name, attributes, work) =>
    inSpan(run_span, { name, attributes }, runtime, work);
  const guard = platform.guard?.with({ log, counters });
  const { tenant, shard, role } = envelope;
  const labels = { service: agent.name, role, tenant, shard };
  const call: AgentContext["call"] = (dependency, work) =>
    guard ? guard.call({ ...labels, dependency, attempt, signal }, work) : work(signal);
  try {
    const context = { envelope, signal, blobs, artifacts: writer, log, runtime, call, span };
    const result = await agent.run(input.data, context);
    return toOutcome(agent, result, manifest());
  } catch (error) {
    if (!(error instanceof RejectedInput)) throw error;
    failSpan(run_span, error);
    return { verdict: "failed", code: error.code, message: error.message, artifacts: manifest() };
  }
}

function toOutcome<Output extends z.ZodType>(
  agent: { name: string; output: Output },
  { verdict, code, message, output }: AgentResult<z.input<Output>>,
  artifacts: ManifestEntry[],
): StepOutcome {
  const parsed = output === undefined ? undefined : agent.output.parse(output);
  return {
    verdict,
    ...(code && { code }),
    ...(message && { message }),
    ...(parsed !== undefined && { output: parsed as Record<string, unknown> }),
    artifacts,
  };
}

async function record(
  ended: StepOutcome,
  delivery: Delivery,
  key: ClaimKey,
  lease: Lease,
  policy_hash = delivery.platform.retryPolicy().hash,
): Promise<StepOutcome> {
  const { platform, counters, log, span } = delivery;
  const outcome = lease.generation > 0 ? { ...ended, generation: lease.generation } : ended;
  const facts = { "agents.verdict": outcome.verdict, ...(outcome.code && { "error.type": outcome.code }) };
  span.set({ "agents.outcome": "completed", ...facts });
  if (outcome.verdict === "error") span.fail(outcome.code ?? "UNEXPECTED", outcome.message ?? "no message");
  await inSpan(span, { name: `complete ${key.step}`, attributes: facts }, platform.runtime, () =>
    platform.claims.complete(key, lease, outcome),
  );
  counters.count(`steps_${outcome.verdict}`, key.tenant);
  log.info("STEP_ENDED", `${key.step} ended: ${outcome.verdict}`, {
    verdict: outcome.verdict,
    error_code: outcome.code,
    policy_hash,
  });
  return outcome;
}

/** Terminal and spent attempts end the step with verdict `error`; the rest release it and throw. */
async function recordFailure(
  error: unknown,
  delivery: Delivery,
  key: ClaimKey,
  lease: Lease,
): Promise<EndedStep> {
  const { platform } = delivery;
  const { runtime } = platform;
  const { value: policy, hash } = platform.retryPolicy();
  const { code, message } = failureFacts(error);
  const disposition = dispositionOf(error);
  const spent = disposition !== "park" && lease.attempt >= policy.attempts_max;
  if (disposition === "terminal" || spent) {
    const outcome: StepOutcome = { verdict: "error", code, message, artifacts: [], dead_letter: true };
    const ended = await record(outcome, delivery, key, lease, hash);
    return { ...ended, cause: error instanceof Error ? error.cause : undefined };
  }
  const asked = error instanceof Fault ? error.retry_after_ms : undefined;
  const delay_ms = asked ?? backoffMs(policy, disposition, lease.attempt, runtime.random);
  const next = {
    code,
    message,
    retry_at_ms: runtime.now() + delay_ms,
    attempt_counts: disposition !== "park",
  };
  const attributes = { "agents.retry.delay_ms": Math.round(delay_ms), "error.type": code };
  await inSpan(delivery.span, { name: `release ${key.step}`, attributes }, runtime, () =>
    platform.claims.release(key, lease, next),
  );
  const options = { cause: error, retry_after_ms: delay_ms };
  if (disposition === "park") throw new ParkedFault(code, message, options);
  throw disposition === "throttle"
    ? new ThrottledFault(code, message, options)
    : new RetryableFault(code, message, options);
}
