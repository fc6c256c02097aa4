import { isExpired } from "#lib/artifacts/retention.ts";
import { TerminalFault } from "#lib/errors/fault.ts";
import type { ClaimRequest, ClaimResult } from "#lib/idempotency/claims.ts";
import {
  type ClaimPorts,
  deleteExpiredStep,
  identityAssignments,
  readStep,
  writeStep,
} from "#lib/idempotency/step-item.ts";
import { instant } from "#lib/runtime/runtime.ts";
import type { StepRecord } from "#schemas/records/step.ts";

const RACES_MAX = 3;
const RACE_WAIT_MS = 1000;

/** The claim: one conditional write that takes when the step is new, or free again and not spent. */
export async function claimStep(request: ClaimRequest, ports: ClaimPorts): Promise<ClaimResult> {
  for (let races = 0; races < RACES_MAX; races += 1) {
    const record = (await takeStep(request, ports)) ?? (await readStep(request.key, ports));
    const now = ports.runtime.now();
    if (record && isExpired(record, now)) {
      await deleteExpiredStep(request.key, record, ports);
      continue;
    }
    const result = record && classify(record, request, now);
    if (result) return result;
  }
  return { kind: "wait", until_ms: ports.runtime.now() + RACE_WAIT_MS };
}

function takeStep(request: ClaimRequest, ports: ClaimPorts): Promise<StepRecord | undefined> {
  const now = ports.runtime.now();
  const { names, values, expression } = identityAssignments(request, instant(now));
  return writeStep(
    request.key,
    {
      update: `SET ${expression}, #status = :running, #owner = :owner,
        fence = if_not_exists(fence, :zero) + :one, attempts = if_not_exists(attempts, :zero) + :one,
        lease_expires_at = :lease_expires_at,
        history = list_append(if_not_exists(history, :none), :entry) REMOVE retry_at`,
      condition: `attribute_not_exists(pk) OR (#source_hash = :source_hash AND attempts < :attempts_max AND
        ((#status = :waiting AND retry_at <= :now) OR (#status = :running AND lease_expires_at < :now)))`,
      names: { ...names, "#owner": "owner" },
      values: {
        ...values,
        ":running": "running",
        ":waiting": "waiting",
        ":owner": request.owner,
        ":zero": 0,
        ":one": 1,
        ":now": now,
        ":attempts_max": request.attempts_max,
        ":lease_expires_at": now + request.lease_ms,
        ":none": [],
        ":entry": [{ owner: request.owner, at: instant(now) }],
      },
    },
    ports,
  );
}

/** What the record means for this claim; undefined when it became free in the meantime: try again. */
function classify(record: StepRecord, request: ClaimRequest, now: number): ClaimResult | undefined {
  if (record.source_hash !== request.source_hash) {
    throw new TerminalFault(
      "IDEMPOTENCY_MISMATCH",
      `step ${record.step} round ${record.round} was claimed for another input; this message is refused`,
    );
  }
  if (record.status === "completed" && record.outcome) return { kind: "completed", outcome: record.outcome };
  if (record.status === "canceled") return { kind: "canceled" };
  if (record.status === "running" && record.owner === request.owner) {
    const { owner, fence, attempts, history, replays = [] } = record;
    const lease = { owner, fence, attempt: attempts, history_length: history.length };
    return { kind: "claimed", lease: { ...lease, generation: replays.length } };
  }
  const until_ms = record.status === "waiting" ? (record.retry_at ?? 0) : record.lease_expires_at;
  if (until_ms >= now) return { kind: "wait", until_ms };
  return record.attempts >= request.attempts_max ? { kind: "exhausted", record } : undefined;
}
