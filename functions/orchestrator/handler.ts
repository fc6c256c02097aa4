import { serveQueue } from "#lib/agents/agent/serve-queue.ts";
import { serveNudge } from "./advance.ts";
import { orchestratorPorts } from "./dependencies.ts";

/** Serves queue `orchestrator`, whose messages are nudges. */
export const handler = serveQueue("orchestrator", (delivery) =>
  serveNudge(delivery, orchestratorPorts(delivery.counters, delivery.log)),
);
