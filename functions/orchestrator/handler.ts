import { serveQueue } from "#lib/agent/serve-queue.ts";
import { TerminalFault } from "#lib/errors/fault.ts";
import { readPayload } from "#lib/messages/send-envelope.ts";
import { AdvancePayload } from "#schemas/messages/envelope.ts";
import { advance } from "./advance.ts";
import { orchestratorPorts } from "./dependencies.ts";

/** Queue `orchestrator`: each message says "look at this task". */
export const handler = serveQueue("orchestrator", async ({ envelope, record, counters, log, span }) => {
  const ports = orchestratorPorts(counters, log);
  const payload = AdvancePayload.safeParse(await readPayload(envelope, ports));
  if (!payload.success) throw new TerminalFault("PAYLOAD_INVALID", "not a nudge", { cause: payload.error });
  const redelivered = Number(record.attributes.ApproximateReceiveCount) > 1;
  await advance({ ...envelope, reason: payload.data.reason, redelivered, trace: span }, ports);
});
