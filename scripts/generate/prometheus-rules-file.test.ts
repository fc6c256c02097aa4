import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type AlertExpression, type AlertRule, AlertsConfig } from "#schemas/config/alerts.ts";
import { prometheusRules } from "./prometheus-rules-file.ts";

const shipped = AlertsConfig.parse(JSON.parse(readFileSync("configs/alerts.json", "utf8")));
const [first] = shipped.rules as [AlertRule];
const DEAD: AlertExpression = { kind: "gauge", metric: "agents_dead_letters", by: [], aggregate: "sum" };

function made(rules: Partial<AlertRule>[], change: Partial<AlertsConfig> = {}) {
  const config = { ...shipped, rules: rules.map((rule) => ({ ...first, ...rule })), ...change };
  const { text, notes } = prometheusRules(config);
  const { groups } = parse(text) as { groups: { name: string; rules: Record<string, unknown>[] }[] };
  return { text, notes, rules: groups.flatMap(({ rules: of_group }) => of_group) };
}

describe("the rule file of Prometheus", () => {
  it("has every shipped rule with its duration, severity, group and runbook", () => {
    const { rules, notes } = made(shipped.rules);
    expect(notes).toEqual([]);
    expect(
      rules.map(({ alert, for: held, labels, annotations }) => ({ alert, held, labels, annotations })),
    ).toEqual(
      expect.arrayContaining(
        shipped.rules.map(({ name, for_seconds, severity, group, runbook, summary }) => ({
          alert: name,
          held: `${for_seconds}s`,
          labels: { severity, group },
          annotations: expect.objectContaining({ summary, runbook: `docs/runbooks/${runbook}.md` }),
        })),
      ),
    );
  });

  it("says gauges as they are, by labels and over all", () => {
    const by: AlertExpression = {
      kind: "gauge",
      metric: "agents_dead_letters",
      by: ["service", "shard"],
      labels: { role: "dlq" },
      aggregate: "max",
    };
    const { rules } = made([{ expression: DEAD }, { expression: by, comparison: "below", threshold: 1.5 }]);
    expect(rules.map(({ expr }) => expr)).toEqual([
      "sum(agents_dead_letters) > 0.2",
      'max by (service, shard) (agents_dead_letters{role="dlq"}) < 1.5',
    ]);
  });

  it("leads to the runbooks' address where there is one", () => {
    const { rules } = made([{}], { runbook_url: "https://wiki.test/runbooks/" });
    expect(rules[0]?.annotations).toMatchObject({ runbook: "https://wiki.test/runbooks/failure-rate.md" });
  });

  it("names what PromQL or Prometheus cannot say, in the file too", () => {
    const lowest: AlertExpression = {
      kind: "quantile",
      metric: "agents_step_duration_seconds",
      quantile: 0,
      by: [],
      window_seconds: 600,
    };
    const { rules, notes, text } = made(
      [
        { name: "lowest", expression: lowest },
        { name: "removed", expression: { ...DEAD, metric: "agents_gone" } },
        { name: "routed", sinks: ["ops"] },
      ],
      { quiet_hours: { from: "22:00", to: "06:00", severities: ["info"] } },
    );
    expect(rules.map(({ alert }) => alert)).toEqual(["routed"]);
    expect(notes).toEqual([
      expect.stringMatching(/^rule lowest is not in it: .*quantile 0/),
      "rule removed is not in it: the catalogue has no metric agents_gone",
      expect.stringMatching(/^rule routed is in it without its sinks/),
      expect.stringMatching(/^quiet_hours is not in it/),
    ]);
    for (const note of notes) expect(text).toContain(`# ${note}\n`);
  });
});
