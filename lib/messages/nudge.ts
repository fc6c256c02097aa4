import type { Platform } from "#lib/agent/platform.ts";
import { makeEnvelope } from "#lib/messages/make-envelope.ts";
import { sendEnvelope } from "#lib/messages/send-envelope.ts";
import type { TraceContext } from "#lib/trace/traceparent.ts";
import type { AdvancePayload } from "#schemas/messages/envelope.ts";

const ORCHESTRATOR = "orchestrator";

interface TaskPosition {
  tenant: string;
  task_id: string;
  deadline_at: string;
  parent: TraceContext;
}

/**
 * Tells the orchestrator to look at a task. It decides from the ledger alone, so a nudge that is
 * sent twice, late or out of order does no harm.
 */
export async function nudge(
  { tenant, task_id, deadline_at, parent }: TaskPosition,
  reason: AdvancePayload["reason"],
  platform: Pick<Platform, "runtime" | "sqs" | "blobsOf" | "queueUrl" | "settings">,
): Promise<void> {
  const payload: AdvancePayload = { reason };
  const envelope = makeEnvelope(
    {
      service: ORCHESTRATOR,
      role: "worker",
      shard: platform.settings.shard,
      tenant,
      task_id,
      step: "advance",
      round: 0,
      attempt: 0,
      payload,
      deadline_at,
      parent,
    },
    platform.runtime,
  );
  await sendEnvelope(platform.queueUrl(ORCHESTRATOR), envelope, platform);
}
