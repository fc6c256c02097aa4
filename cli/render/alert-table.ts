import type { AlertList, AlertTestSent, SilenceView } from "#schemas/http/alerts.ts";
import type { Paint } from "./paint.ts";

/** One line an alert, what fires first; then silences, and where alerts are told. */
export function alertTable(
  { alerts, silences, sinks, evaluated_at, rules }: AlertList,
  paint: Paint,
): string[] {
  const order = { firing: 0, pending: 1, resolved: 2 };
  const sorted = [...alerts].sort((a, b) => order[a.state] - order[b.state] || a.rule.localeCompare(b.rule));
  const lines = sorted.flatMap((alert) => {
    const sign =
      alert.state === "firing"
        ? paint.red("✗")
        : alert.state === "pending"
          ? paint.yellow("·")
          : paint.green("✓");
    const value = alert.value === null ? "" : `, value ${alert.value} against ${alert.threshold}`;
    const held = alert.silenced ? ", silenced" : "";
    const line = `${sign} ${alert.rule}${labelText(alert.labels)}  ${alert.state} since ${alert.since}${value}${held}`;
    const runbook = alert.runbook === null ? "" : ` Runbook: docs/runbooks/${alert.runbook}.md`;
    return alert.state === "firing" ? [line, paint.dim(`  ${alert.summary ?? ""}${runbook}`)] : [line];
  });
  const told = sinks.map(({ name, kind, severities }) => `${name} (${kind}: ${severities.join(", ")})`);
  return [
    ...(lines.length > 0 ? lines : [`Nothing fires, by ${rules.length} rules.`]),
    ...silences.flatMap(silenceLines),
    paint.dim(
      `Evaluated ${evaluated_at ?? "never"}. Told to: ${told.join(", ") || "nobody, see configs/alerts.json"}`,
    ),
  ];
}

export function silenceLines({ rule, labels, until, why, created_by }: SilenceView): string[] {
  const which = rule === "*" ? "all rules" : rule;
  return [`Silenced: ${which}${labelText(labels)} until ${until} by ${created_by}: ${why}`];
}

export function testLines({ sinks }: AlertTestSent): string[] {
  if (sinks.length === 0) return ["No sinks are configured: configs/alerts.json"];
  return [`A test notice is on its way to ${sinks.join(", ")}`];
}

function labelText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? "" : ` {${pairs.join(", ")}}`;
}
