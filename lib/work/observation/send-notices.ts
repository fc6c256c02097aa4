import { prepareMessage, type SendPorts } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { startSpan } from "#lib/platform/trace/span.ts";
import { taskIdFrom } from "#lib/work/tasks/task-id.ts";
import type { AlertRule, AlertsConfig } from "#schemas/config/alerts.ts";
import type { AlertsInput } from "#schemas/messages/alerts.ts";
import { Tenant } from "#schemas/primitives.ts";
import type { Notice } from "#schemas/records/alert.ts";

/** The function that tells people, and its queue. */
export const ALERTS = "alerts";

/** Whose messages are about no tenant. */
const PLATFORM = "platform";
/** A notice is given up after so long. */
const HOURS_MAX = 24;

/** The sinks that a rule's notices go to. */
export function sinksOf(
  { sinks, severity }: Pick<AlertRule, "sinks" | "severity">,
  config: AlertsConfig,
): string[] {
  const taking = Object.entries(config.sinks).filter(
    ([name, sink]) => sink.severities.includes(severity) && (sinks === undefined || sinks.includes(name)),
  );
  return taking.map(([name]) => name);
}

/**
 * Sends a notice's message for one sink. Its identity follows from alert, number, time and sink, so a copy too many does nothing:
 * the notice is claimed once.
 */
export async function sendNotice(sink: string, notice: Notice, ports: SendPorts): Promise<void> {
  const { runtime } = ports;
  const owner = Tenant.safeParse(notice.labels.tenant);
  const tenant = owner.success ? owner.data : PLATFORM;
  const task_id = taskIdFrom(tenant, `notice ${notice.alert_id} ${notice.number} ${notice.at} ${sink}`);
  const parent = startSpan(undefined, { name: `alert ${notice.rule}` }, runtime);
  const payload: AlertsInput = { sink, notice };
  const deadline_at = instant(Date.parse(notice.at) + HOURS_MAX * 3_600_000);
  const place = { service: ALERTS, tenant, task_id, step: "notice", round: 0, attempt: 0 };
  await prepareMessage({ ...place, payload, deadline_at, parent }, ports)();
}
