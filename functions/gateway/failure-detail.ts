import { readEnvelope } from "#lib/agents/dlq/dead-letter-queue.ts";
import { describeEdit } from "#lib/agents/dlq/describe-edit.ts";
import { expectReplay } from "#lib/agents/dlq/expect-replay.ts";
import { type ListedFailure, stateOf } from "#lib/agents/dlq/failure-lists.ts";
import { redacted } from "#lib/agents/dlq/redact-values.ts";
import { withoutInline } from "#lib/platform/blobs/inline-blob.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { listCircuits, type SharedState } from "#lib/resilience/circuit/circuit-table.ts";
import { type Ledger, readLedger } from "#lib/work/tasks/task-store.ts";
import { artifactSet } from "#lib/work/views/artifact-set.ts";
import type { FailureCircuit, FailureDetail } from "#schemas/http/dead-letters.ts";
import type { CircuitState } from "#schemas/records/circuit.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import { failureView, findFailureOf, freshnessOf, type Viewer } from "./failures.ts";
import type { GatewayPorts } from "./ports.ts";

const BODY_CHARACTERS_MAX = 10_000;

/** All that is known of one failure, and what a replay would do now. Throws HttpError 404 `FAILURE_NOT_FOUND`. */
export async function describeFailure(
  viewer: Viewer,
  name: string,
  ports: GatewayPorts,
): Promise<FailureDetail> {
  const failure = await findFailureOf(viewer, name, ports);
  const { record } = failure;
  const envelope = readEnvelope(record.body);
  const [ledger, circuits, freshness, replay] = await Promise.all([
    envelope && readLedger(envelope.tenant, envelope.task_id, ports),
    listCircuits(ports),
    freshnessOf(ports),
    expectation(failure, ports),
  ]);
  const step = ledger?.steps.find((one) => one.step === record.step && one.round === record.round);
  const lineage = await describeEdit(failure, step, ports);
  return {
    ...failureView(failure, ports),
    cause_chain: record.cause_chain,
    envelope: envelope ? (redacted(withoutInline(envelope)) as Record<string, unknown>) : null,
    body: envelope ? null : redactSecrets(record.body.slice(0, BODY_CHARACTERS_MAX)),
    attempts_timeline: timelineOf(record, step),
    ...statusOf(ledger, step),
    trace_href: envelope && ledger ? `/api/tasks/${envelope.task_id}/trace` : null,
    artifacts: step ? (artifactSet(step)?.artifacts ?? []) : [],
    function_name: record.function_name,
    request_id: record.request_id,
    receives: record.receives ?? null,
    policy: policyOf(record, ports),
    circuits: circuits.filter((circuit) => concerns(circuit, record)).map((one) => circuitOf(one, record)),
    replay,
    replay_of: envelope?.replay_of ?? null,
    ...lineage,
    settled_by: record.settled_by ?? null,
    ...endingOf(record),
    freshness,
  };
}

async function expectation(failure: ListedFailure, ports: GatewayPorts): Promise<FailureDetail["replay"]> {
  const state = stateOf(failure.record, ports.replays());
  if (state === "open" || state === "permanently_failed")
    return expectReplay(failure, ports.replays(), ports);
  return { expectation: "not_found", reason: "FAILURE_SETTLED", says: `it was ${state} before` };
}

function statusOf(ledger: Ledger | undefined, step: StepRecord | undefined) {
  return { task_status: ledger?.task.status ?? null, step_status: step?.status ?? null };
}

function policyOf({ policy_hash: at_failure }: FailureRecord, ports: GatewayPorts): FailureDetail["policy"] {
  const now = ports.retryPolicy().hash;
  return { at_failure, now, changed: at_failure !== now };
}

function endingOf(record: FailureRecord) {
  return {
    replayed_at: record.replayed_at ?? null,
    resolved_at: record.resolved_at ?? null,
    discarded_at: record.discarded_at ?? null,
    discarded_because: record.discarded_because ?? null,
    replayed_as: record.replayed_as ?? null,
  };
}

/** A circuit of the agent that failed, unless it is another tenant's own. */
function concerns({ record: circuit }: SharedState, { service, tenant }: FailureRecord): boolean {
  return circuit.key.startsWith(`${service}.`) && (circuit.tenant === undefined || circuit.tenant === tenant);
}

const STATE_AFTER: Partial<Record<string, CircuitState>> = {
  opened: "open",
  half_opened: "half_open",
  closed: "closed",
  forced_open: "open",
  forced_closed: "closed",
  reset: "closed",
};

function circuitOf({ record: circuit }: SharedState, { last_at }: FailureRecord): FailureCircuit {
  const before = circuit.trail.findLast(({ at }) => at <= last_at);
  const always = circuit.trail.length === 0 ? ("closed" as const) : null;
  return {
    key: circuit.key,
    at_failure: before ? (STATE_AFTER[before.event] ?? null) : always,
    now: circuit.forced?.state ?? circuit.state,
  };
}

type Moment = FailureDetail["attempts_timeline"][number];

function timelineOf(record: FailureRecord, step: StepRecord | undefined): Moment[] {
  const moments: Moment[] = [
    ...(step?.history ?? []).map(
      ({ owner, at }): Moment => ({ kind: "attempt", at, says: `a worker claimed the step: ${owner}` }),
    ),
    ...(step?.replays ?? []).map(
      ({ at, code, message }): Moment => ({
        kind: "replayed",
        at,
        says: `replayed after ${code}: ${message}`,
      }),
    ),
    { kind: "failed", at: record.last_at, says: `${record.code}: ${record.message}` },
  ];
  if (step?.last_error) {
    const { at, code, message } = step.last_error;
    moments.push({ kind: "last_error", at, says: `${code}: ${message}` });
  }
  if (step?.ended_at) {
    moments.push({
      kind: "ended",
      at: step.ended_at,
      says: `the step ended: ${step.outcome?.verdict ?? step.status}`,
    });
  }
  if (record.first_at < record.last_at) {
    const says = `received for the first time${record.receives ? `, of ${record.receives} times in all` : ""}`;
    moments.push({ kind: "attempt", at: record.first_at, says });
  }
  return moments
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map((one) => ({ ...one, at: instant(Date.parse(one.at)) }));
}
