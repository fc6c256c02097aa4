import { instant } from "#lib/platform/runtime/runtime.ts";
import { listingAttributes } from "#lib/platform/table/keys.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { claimItem } from "#lib/resilience/idempotency/claim-item.ts";
import type { ClaimedItem, ClaimPorts, Token } from "#lib/resilience/idempotency/claimed-item.ts";
import type { ClaimRequest, ClaimResult, Lease } from "#lib/resilience/idempotency/claims.ts";
import { stepFields } from "#lib/resilience/idempotency/step-item.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** The claim of a step, which enters itself into the step's history. */
export async function claimStep(
  request: ClaimRequest,
  item: ClaimedItem<StepRecord>,
  ports: ClaimPorts,
): Promise<ClaimResult> {
  const { source_hash, owner, lease_ms, attempts_max, expires_at } = request;
  const at = instant(ports.runtime.now());
  const claim = await claimItem<StepRecord>(
    {
      item,
      fields: { ...stepFields(request, at), source_hash },
      also: {
        update: "history = list_append(if_not_exists(history, :none), :entry), expires_at = :expires_at",
        values: { none: [], entry: [{ owner, at }], expires_at },
      },
      stale: {
        is: (record, now_ms) => isExpired(record, now_ms),
        cleared: [
          "outcome",
          "ended_at",
          "last_error",
          "parked_at",
          "parked_ms",
          ...listingAttributes("by_tenant"),
        ],
      },
      owner,
      lease_ms,
      attempts_max,
    },
    ports,
  );
  switch (claim.kind) {
    case "claimed":
      return { kind: "claimed", lease: leaseOf(claim.record, claim.token) };
    case "ended":
      return claim.record.outcome
        ? { kind: "completed", outcome: claim.record.outcome, attempts: claim.record.attempts }
        : { kind: "canceled" };
    case "wait": {
      const { status, parked_at } = claim.record ?? {};
      return {
        kind: "wait",
        until_ms: claim.until_ms,
        parked: status === "waiting" && parked_at !== undefined,
      };
    }
    default:
      return claim;
  }
}

function leaseOf({ history, replays = [], parked_at, parked_ms = 0 }: StepRecord, token: Token): Lease {
  const since = replays.at(-1)?.at ?? "";
  const first = history.find(({ at }) => at >= since) ?? history.at(-1);
  return {
    ...token,
    history_length: history.length,
    generation: replays.length,
    first_attempt_ms: Date.parse(first?.at ?? ""),
    parked_at,
    parked_ms,
  };
}
