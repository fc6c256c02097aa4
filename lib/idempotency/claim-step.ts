import { isExpired } from "#lib/artifacts/retention.ts";
import { claimItem } from "#lib/idempotency/claim-item.ts";
import type { ClaimPorts } from "#lib/idempotency/claimed-item.ts";
import type { ClaimRequest, ClaimResult } from "#lib/idempotency/claims.ts";
import { stepFields, stepItem } from "#lib/idempotency/step-item.ts";
import { instant } from "#lib/runtime/runtime.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** The claim of a step, which enters itself into the step's history. */
export async function claimStep(request: ClaimRequest, ports: ClaimPorts): Promise<ClaimResult> {
  const { key, source_hash, owner, lease_ms, attempts_max, expires_at } = request;
  const at = instant(ports.runtime.now());
  const claim = await claimItem<StepRecord>(
    {
      item: stepItem(key),
      fields: { ...stepFields(request, at), source_hash },
      also: {
        update: "history = list_append(if_not_exists(history, :none), :entry), expires_at = :expires_at",
        values: { ":none": [], ":entry": [{ owner, at }], ":expires_at": expires_at },
      },
      stale: {
        is: (record, now_ms) => isExpired(record, now_ms),
        cleared: ["outcome", "ended_at", "last_error", "gsi1pk", "gsi1sk"],
      },
      owner,
      lease_ms,
      attempts_max,
    },
    ports,
  );
  switch (claim.kind) {
    case "claimed": {
      const { history, replays = [] } = claim.record;
      const lease = { ...claim.token, history_length: history.length, generation: replays.length };
      return { kind: "claimed", lease };
    }
    case "ended":
      return claim.record.outcome
        ? { kind: "completed", outcome: claim.record.outcome }
        : { kind: "canceled" };
    default:
      return claim;
  }
}
