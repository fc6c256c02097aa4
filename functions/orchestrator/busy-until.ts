import type { StepRecord } from "#schemas/records/step.ts";

/** Until when (Unix ms) somebody has the step in hand: its lease, or its back-off with time to come back. */
export function busyUntil(record: StepRecord | undefined, grace_ms: number): number {
  if (record?.status === "running") return record.lease_expires_at + 1000;
  if (record?.status === "waiting") return (record.retry_at ?? 0) + grace_ms;
  return 0;
}
