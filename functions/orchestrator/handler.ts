import { serveQueue } from "#lib/agents/agent/serve-queue.ts";
import { serveNudge } from "./advance.ts";
import { orchestratorPorts } from "./dependencies.ts";

/** Queue `orchestrator`: each message says "look at this task". */
export const handler = serveQueue("orchestrator", (delivery) =>
  serveNudge(delivery, orchestratorPorts(delivery.counters, delivery.log)),
);
