import type { ReceivedMessage } from "#lib/agents/agent/message.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { readPayload } from "#lib/platform/messages/send-envelope.ts";
import { AdvancePayload } from "#schemas/messages/envelope.ts";
import { advance } from "./advance.ts";
import type { OrchestratorPorts } from "./ports.ts";

/** One message of queue `orchestrator`: "look at this task". */
export async function serveNudge(
  { envelope, record, span }: ReceivedMessage,
  ports: OrchestratorPorts,
): Promise<void> {
  const payload = AdvancePayload.safeParse(await readPayload(envelope, ports));
  if (!payload.success) throw new TerminalFault("PAYLOAD_INVALID", "not a nudge", { cause: payload.error });
  const redelivered = Number(record.attributes.ApproximateReceiveCount) > 1;
  await advance({ ...envelope, reason: payload.data.reason, redelivered, trace: span }, ports);
}
