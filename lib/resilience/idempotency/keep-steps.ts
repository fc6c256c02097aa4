import { type ClaimPorts, writeItem } from "#lib/resilience/idempotency/claimed-item.ts";
import { stepItem } from "#lib/resilience/idempotency/step-item.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** Keeps the records of a task's steps at least until `expires_at` (Unix seconds). Safe to repeat. */
export async function keepSteps(steps: StepRecord[], expires_at: number, ports: ClaimPorts): Promise<void> {
  for (const step of steps) {
    await writeItem(
      stepItem(step),
      {
        update: "SET expires_at = :expires_at",
        condition: "attribute_exists(#status) AND expires_at < :expires_at",
        values: { expires_at },
      },
      ports,
    );
  }
}
