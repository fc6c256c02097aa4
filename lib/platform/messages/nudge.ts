import { type SendPorts, sendMessage } from "#lib/platform/messages/send-message.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
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
  ports: SendPorts,
): Promise<void> {
  const payload: AdvancePayload = { reason };
  await sendMessage(
    {
      service: ORCHESTRATOR,
      tenant,
      task_id,
      step: "advance",
      round: 0,
      attempt: 0,
      payload,
      deadline_at,
      parent,
    },
    ports,
    { "agents.nudge.reason": reason },
  );
}
