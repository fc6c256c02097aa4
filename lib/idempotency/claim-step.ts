import { claimItem } from "#lib/idempotency/claim-item.ts";
import type { ClaimPorts } from "#lib/idempotency/claimed-item.ts";
import type { ClaimRequest, ClaimResult } from "#lib/idempotency/claims.ts";
import { stepFields, stepItem } from "#lib/idempotency/step-item.ts";
import { instant } from "#lib/runtime/runtime.ts";

/** The claim of a step, which enters itself into the step's history. */
export async function claimStep(request: ClaimRequest, ports: ClaimPorts): Promise<ClaimResult> {
  const { key, source_hash, owner, lease_ms, attempts_max } = request;
  const at = instant(ports.runtime.now());
  const claim = await claimItem(
    {
      item: stepItem(key),
      fields: { ...stepFields(request, at), source_hash },
      also: {
        update: "history = list_append(if_not_exists(history, :none), :entry)",
        values: { ":none": [], ":entry": [{ owner, at }] },
      },
      owner,
      lease_ms,
      attempts_max,
    },
    ports,
  );
  switch (claim.kind) {
    case "claimed":
      return { kind: "claimed", lease: { ...claim.token, history_length: claim.record.history.length } };
    case "ended":
      return claim.record.outcome
        ? { kind: "completed", outcome: claim.record.outcome }
        : { kind: "canceled" };
    default:
      return claim;
  }
}
