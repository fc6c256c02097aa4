import type { Agent } from "#lib/agents/agent/agent.ts";
import { ALERTS } from "#lib/work/observation/send-notices.ts";
import { AlertsInput, AlertsOutput } from "#schemas/messages/alerts.ts";
import { noticePorts } from "./dependencies.ts";
import { tell } from "./tell.ts";

/** Tells people of alerts, where configs/alerts.json says. */
export const alerts: Agent<typeof AlertsInput, typeof AlertsOutput> = {
  name: ALERTS,
  input: AlertsInput,
  output: AlertsOutput,
  detached: { sendAnew: async () => false },
  run: (input, context) => tell(input, context, noticePorts()),
};
