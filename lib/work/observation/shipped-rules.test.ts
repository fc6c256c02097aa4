import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { alertFaults } from "#lib/platform/config/alert-faults.ts";
import type { CountedMetric, GaugeName } from "#lib/platform/metrics/catalogue.ts";
import { minuteOf } from "#lib/platform/metrics/count-windows.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { nextAlert } from "#lib/work/observation/alert-transitions.ts";
import { evaluateRule, type Readings } from "#lib/work/observation/evaluate-rules.ts";
import { AlertsConfig } from "#schemas/config/alerts.ts";
import type { AlertRecord } from "#schemas/records/alert.ts";

const shipped = AlertsConfig.parse(JSON.parse(readFileSync("configs/alerts.json", "utf8")));
const NOW = Date.UTC(2026, 0, 31, 12);
const LABELS = { service: "codegen", role: "worker", shard: "0", tenant: "acme" };

type Counts = Partial<Record<CountedMetric, number>>;

function counted(amounts: Counts, now_ms: number): Readings {
  const counters = makeCounters();
  for (const [metric, amount] of Object.entries(amounts))
    counters.count(metric as CountedMetric, "acme", amount);
  const sums = new Map(counters.entries().map(({ metric, amount }) => [metric, amount]));
  return { now_ms, minutes: [{ ...LABELS, minute: minuteOf(now_ms), amounts: sums }], gauges: [] };
}

function standing(name: GaugeName, value: number, labels: Record<string, string>, now_ms: number): Readings {
  return { now_ms, minutes: [], gauges: [{ name, labels: { ...LABELS, ...labels }, value }] };
}

/** Readings under which each shipped rule fires, and others under which it does not. */
const CASES: Record<string, { ill: (now_ms: number) => Readings; well: (now_ms: number) => Readings }> = {
  failure_rate: {
    ill: (now) => counted({ steps_error: 3, steps_passed: 7 }, now),
    well: (now) => counted({ steps_error: 2, steps_failed: 50, steps_passed: 8 }, now),
  },
  dlq_not_empty: {
    ill: (now) => standing("agents_dead_letters", 1, {}, now),
    well: (now) => standing("agents_dead_letters", 0, {}, now),
  },
  oldest_message_age: {
    ill: (now) => standing("agents_queue_oldest_age_seconds", 1801, {}, now),
    well: (now) => standing("agents_queue_oldest_age_seconds", 1799, {}, now),
  },
  backlog: {
    ill: (now) => standing("agents_queue_messages", 501, { state: "waiting" }, now),
    well: (now) => standing("agents_queue_messages", 5000, { state: "in_flight" }, now),
  },
  circuit_open: {
    ill: (now) => standing("agents_circuit_open", 1, { circuit: "codegen.worker.model" }, now),
    well: (now) => standing("agents_circuit_open", 0, { circuit: "codegen.worker.model" }, now),
  },
  attenuation: {
    ill: (now) => standing("agents_circuit_damped_ratio", 0.5, { circuit: "codegen.worker.model" }, now),
    well: (now) => standing("agents_circuit_damped_ratio", 0.05, { circuit: "codegen.worker.model" }, now),
  },
  retries_exhausted: {
    ill: (now) => counted({ retries_exhausted: 1 }, now),
    well: (now) => counted({ step_attempts_again: 9 }, now),
  },
  budget: {
    ill: (now) => counted({ model_budget_refused: 1 }, now),
    well: (now) => counted({ model_tokens: 100_000 }, now),
  },
  sandbox_limit_rate: {
    ill: (now) => counted({ sandbox_limits_hit: 4, steps_failed: 4, steps_passed: 6 }, now),
    well: (now) => counted({ sandbox_limits_hit: 3, steps_failed: 3, steps_passed: 4 }, now),
  },
  configuration_refused: {
    ill: (now) => counted({ config_rejected: 1 }, now),
    well: (now) => counted({ config_changed: 1 }, now),
  },
  graph_not_conforming: {
    ill: (now) => counted({ graph_not_conforming: 1 }, now),
    well: (now) => counted({ steps_error: 1 }, now),
  },
  evaluator_silent: {
    ill: (now) => standing("agents_alert_evaluation_age_seconds", 301, {}, now),
    well: (now) => standing("agents_alert_evaluation_age_seconds", 61, {}, now),
  },
};

describe("the shipped rules", () => {
  it("agree with the catalogue, and each has a case here and a runbook", () => {
    expect(alertFaults(shipped)).toEqual([]);
    expect(shipped.rules.map(({ name }) => name).sort()).toEqual(Object.keys(CASES).sort());
    for (const { runbook } of shipped.rules)
      expect(existsSync(`docs/runbooks/${runbook}.md`), runbook).toBe(true);
  });

  it.each(shipped.rules.map((rule) => [rule.name, rule] as const))(
    "%s fires, and is resolved",
    (name, rule) => {
      const { ill, well } = CASES[name]!;
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
    const minutes = [{ ...LABELS, minute: minuteOf(NOW), amounts: sums }];
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
