import type { z } from "zod";
import type { Agent, AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import type { ReceivedMessage } from "#lib/agents/agent/message.ts";
import {
  type EndedStep,
  policyOf,
  recordFailure,
  recordOutcome,
  type WrittenArtifacts,
} from "#lib/agents/agent/record-outcome.ts";
import { keepSmallInline } from "#lib/platform/blobs/inline-blob.ts";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { Fault, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { readPayload } from "#lib/platform/messages/send-envelope.ts";
import { failSpan, inSpan, type Span } from "#lib/platform/trace/span.ts";
import type { GuardedCall } from "#lib/resilience/circuit/guarded-call.ts";
import type { Lease } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import { retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import { artifactWriter } from "#lib/work/artifacts/artifact-writer.ts";
import { describeIssues } from "#schemas/issue-sentence.ts";
import type { StepOutcome } from "#schemas/records/step.ts";

const CLOSING_MS = 5000;

/**
 * Characters of small files and outputs that one outcome carries in all. 4 KB cost as many write units, index
 * included, as the PUT of an object they save; this bounds the item, and with it every read of the ledger.
 */
const OUTCOME_INLINE_CHARACTERS_MAX = 16_384;

/** Runs a claimed step and records its outcome, or releases it for another attempt. */
export async function attemptStep<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  message: ReceivedMessage,
  key: ClaimKey,
  lease: Lease,
  lease_ms: number,
): Promise<EndedStep> {
  const { platform, counters, log } = message;
  const { claims, runtime } = platform;
  const stop = new AbortController();
  const keeper = keepLease({
    name: `step ${key.step}`,
    leaseMs: () => lease_ms,
    renew: (length_ms) => claims.renew(key, lease, length_ms),
    look: agent.notices_cancel_ms
      ? { interval_ms: agent.notices_cancel_ms, work: () => claims.look(key, lease) }
      : undefined,
    onLost: (error) => stop.abort(error),
    runtime,
  });
  const done = new AbortController();
  const closing_ms = Math.max(1, message.lambda.getRemainingTimeInMillis() - CLOSING_MS);
  runtime.sleep(closing_ms, done.signal).then(
    () =>
      stop.abort(new RetryableFault("INVOCATION_ENDING", "the invocation is about to reach its time limit")),
    () => undefined, // the step ended first
  );
  /** What the run has written, also when it fails. */
  let written: () => WrittenArtifacts = () => ({ artifacts: [] });
  try {
    log.info("STEP_STARTED", `attempt ${lease.attempt} of ${key.step}`, {
      attempt: lease.attempt,
      policy_hash: platform.retryPolicy().hash,
    });
    const started = runtime.now();
    counters.count(lease.attempt > 1 ? "step_attempts_again" : "step_attempts_first", key.tenant);
    const attributes = { "agents.attempt": lease.attempt };
    const outcome = await inSpan(message.span, { name: `run ${key.step}`, attributes }, runtime, (span) =>
      runAgent(agent, message, {
        lease,
        signal: stop.signal,
        run_span: span,
        onWriter: (artifacts) => {
          written = artifacts;
        },
      }),
    );
    stop.signal.throwIfAborted();
    counters.duration("step", key.tenant, runtime.now() - started);
    return await recordOutcome(outcome, message, key, lease);
  } catch (thrown) {
    const error = stop.signal.aborted ? stop.signal.reason : thrown;
    if (error instanceof LeaseLost) throw error;
    return await recordFailure(error, message, key, lease, written());
  } finally {
    done.abort();
    keeper.stop();
  }
}

interface Run {
  lease: Lease;
  signal: AbortSignal;
  run_span: Span;
  /** Told how to list what the run writes. */
  onWriter(artifacts: () => WrittenArtifacts): void;
}

async function runAgent<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  message: ReceivedMessage,
  { lease, signal, run_span, onWriter }: Run,
): Promise<StepOutcome> {
  const { envelope, platform, log, counters } = message;
  const { runtime, settings } = platform;
  const stored = platform.blobsOf(envelope.tenant, run_span);
  const blobs = keepSmallInline(stored, envelope.tenant, OUTCOME_INLINE_CHARACTERS_MAX);
  const { writer, manifest } = artifactWriter(blobs);
  const artifacts = () => {
    const { role, trace_id } = envelope;
    return { artifacts: manifest(), producer: { role, trace_id, version: settings.service_version } };
  };
  onWriter(artifacts);
  const input = agent.input.safeParse(await readPayload(envelope, { blobsOf: () => blobs }));
  if (!input.success) {
    throw new TerminalFault(
      "PAYLOAD_INVALID",
      `not an input of ${agent.name}: ${describeIssues(input.error)}`,
    );
  }
  const span: AgentContext["span"] = (name, attributes, work) =>
    inSpan(run_span, { name, attributes }, runtime, work);
  const guard = platform.guard?.with({ log, counters });
  const call: AgentContext["call"] = (dependency, work, endpoint) =>
    guard
      ? guard.call({ ...callOf(agent.name, message, dependency, lease), endpoint, signal }, work)
      : work(signal);
  try {
    const count: AgentContext["count"] = (metric, amount) => counters.count(metric, envelope.tenant, amount);
    const context = { envelope, signal, blobs, artifacts: writer, log, runtime, call, span, count };
    const result = await agent.run(input.data, context);
    return toOutcome(agent, result, artifacts());
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (dispositionOf(error, policyOf(message, error).dispositions) !== "reject") throw error;
    failSpan(run_span, error);
    return { verdict: "failed", code: error.code, message: error.message, ...artifacts() };
  }
}

/** The request for admission of one dependency call by its circuit. */
function callOf(
  service: string,
  { envelope, platform }: ReceivedMessage,
  dependency: string,
  { attempt, parked_at: waiting_since_ms }: Lease,
): GuardedCall {
  const { tenant, shard, role, idempotency_key: work } = envelope;
  const labels = { service, role, tenant, shard, dependency };
  const { attempts_max } = retryPolicyFor(platform.retryPolicy().value, labels);
  return { ...labels, attempt, work, waiting_since_ms, last_try: attempt >= attempts_max };
}

function toOutcome<Output extends z.ZodType>(
  agent: { name: string; output: Output },
  { verdict, code, message, output }: AgentResult<z.input<Output>>,
  artifacts: Pick<StepOutcome, "artifacts" | "producer">,
): StepOutcome {
  const parsed = output === undefined ? undefined : agent.output.parse(output);
  return {
    verdict,
    ...(code && { code }),
    ...(message && { message }),
    ...(parsed !== undefined && { output: parsed as Record<string, unknown> }),
    ...artifacts,
  };
}
