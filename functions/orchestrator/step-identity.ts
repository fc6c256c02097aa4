import { idempotencyKey } from "#lib/platform/hash/source-hash.ts";
import { stepSourceHash } from "#lib/platform/messages/make-envelope.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import type { StepIdentity } from "#lib/resilience/idempotency/step-item.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { NextStep } from "./decide.ts";
import type { OrchestratorPorts } from "./ports.ts";

/** The key and hash under which an agent would claim this step. */
export function stepIdentity(
  { tenant, task_id, deadline_at }: TaskRecord,
  next: NextStep,
  { artifacts }: Pick<OrchestratorPorts, "artifacts">,
): StepIdentity {
  const { step, round, service, input } = next;
  const source_hash = stepSourceHash(service, input);
  return {
    key: { tenant, task_id, step, round },
    service,
    source_hash,
    expires_at: recordExpiry(deadline_at, artifacts().value),
    idempotency_key: idempotencyKey({ tenant, task_id, step, round, source_hash }),
  };
}
