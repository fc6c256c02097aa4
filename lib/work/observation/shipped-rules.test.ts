import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { alertFaults } from "#lib/platform/config/alert-faults.ts";
import { minuteOf } from "#lib/platform/metrics/count-windows.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { nextAlert } from "#lib/work/observation/alert-transitions.ts";
import { evaluateRule, type Readings } from "#lib/work/observation/evaluate-rules.ts";
import { AlertsConfig } from "#schemas/config/alerts.ts";
import type { AlertRecord } from "#schemas/records/alert.ts";
import { CASE_LABELS, counted, RULE_CASES } from "#test/fakes/rule-cases.ts";

const shipped = AlertsConfig.parse(JSON.parse(readFileSync("configs/alerts.json", "utf8")));
const NOW = Date.UTC(2026, 0, 31, 12);
describe("the shipped rules", () => {
  it("agree with the catalogue, and each has a case here and a runbook", () => {
    expect(alertFaults(shipped)).toEqual([]);
    expect(shipped.rules.map(({ name }) => name).sort()).toEqual(Object.keys(RULE_CASES).sort());
    for (const { runbook } of shipped.rules)
      expect(existsSync(`docs/runbooks/${runbook}.md`), runbook).toBe(true);
  });

  it.each(shipped.rules.map((rule) => [rule.name, rule] as const))(
    "%s fires, and is resolved",
    (name, rule) => {
      const { ill, well } = RULE_CASES[name]!;
      const notices: string[] = [];
      let now_ms = NOW;
      let record: AlertRecord | undefined;
      const evaluate = (readings: Readings) => {
        const [measured] = evaluateRule(rule, readings);
        const labels = measured?.labels ?? record?.labels ?? {};
        const next = nextAlert(record, { rule, labels, measured, now_ms, held: false, expires_at: 0 });
        if (next && next.notices > (record?.notices ?? 0)) notices.push(next.unsent!.notice.kind);
        record = next ?? record;
      };
      evaluate(well(now_ms));
      expect(record).toBeUndefined();
      for (let seconds = 0; seconds <= rule.for_seconds; seconds += 60) {
        expect(notices).toEqual([]);
        evaluate(ill(now_ms));
        now_ms += 60_000;
      }
      expect([record?.state, notices]).toEqual(["firing", ["fired"]]);
      evaluate(ill(now_ms));
      evaluate(well(now_ms));
      evaluate(well(now_ms));
      expect([record?.state, notices]).toEqual(["resolved", ["fired", "resolved"]]);
    },
  );
});

describe("a rule", () => {
  const rule = (name: string) => shipped.rules.find((each) => each.name === name)!;

  it("says nothing of a share of too little", () => {
    expect(evaluateRule(rule("failure_rate"), counted({ steps_error: 4 }, NOW))).toEqual([]);
  });

  it("leaves out what is older than its window", () => {
    const old = counted({ retries_exhausted: 1 }, NOW - 700_000);
    expect(evaluateRule(rule("retries_exhausted"), { ...old, now_ms: NOW })).toEqual([]);
  });

  it("measures each set of labels by itself, and adds up the others", () => {
    const minutes = ["codegen", "codegen", "sandbox"].map((service, index) => ({
      ...counted({ retries_exhausted: 1 + index }, NOW).minutes[0]!,
      service,
      tenant: `t${index}`,
    }));
    const measured = evaluateRule(rule("retries_exhausted"), { now_ms: NOW, minutes, gauges: [] });
    expect(measured.map(({ labels, value }) => [labels, value])).toEqual([
      [{ service: "codegen" }, 3],
      [{ service: "sandbox" }, 3],
    ]);
  });

  it("takes a quantile of all series that fall together", () => {
    const counters = makeCounters();
    for (let index = 0; index < 100; index += 1) counters.duration("step", "acme", index < 90 ? 40 : 20_000);
    const sums = new Map(counters.entries().map(({ metric, amount }) => [metric, amount]));
    const expression = {
      kind: "quantile",
      metric: "agents_step_duration_seconds",
      quantile: 0.95,
      by: ["service"],
      window_seconds: 600,
    } as const;
    const late = { ...rule("failure_rate"), expression: { ...expression, by: ["service"] }, threshold: 10 };
    const minutes = [{ ...CASE_LABELS, minute: minuteOf(NOW), amounts: sums }];
    expect(evaluateRule(late, { now_ms: NOW, minutes, gauges: [] })).toMatchObject([
      { breached: true, value: 20 },
    ]);
  });

  it("is refused when it names what is in no catalogue", () => {
    const [first] = shipped.rules;
    const wrong = (change: object) =>
      alertFaults({ ...shipped, rules: [{ ...first!, ...change }] }).join("; ");
    const gauge = { kind: "gauge", metric: "agents_dead_letters", by: ["service"], aggregate: "sum" };
    expect(wrong({ expression: { ...gauge, metric: "agents_none" } })).toMatch(
      "there is no gauge agents_none",
    );
    expect(wrong({ expression: { ...gauge, metric: "agents_tasks" } })).toMatch(
      "rules cannot be about agents_tasks",
    );
    expect(wrong({ expression: { ...gauge, by: ["circuit"] } })).toMatch("has no label circuit");
    expect(wrong({ expression: { ...gauge, labels: { x: "y" } } })).toMatch("has no label x");
    expect(wrong({ sinks: ["nowhere"] })).toMatch("names nowhere");
    expect(alertFaults({ ...shipped, rules: [first!, first!] }).join()).toMatch("twice");
  });
});
