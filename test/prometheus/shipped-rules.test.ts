import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { counterSamples, type Sample } from "#lib/platform/metrics/series.ts";
import { evaluateRule, type Readings } from "#lib/work/observation/evaluate-rules.ts";
import { type AlertRule, AlertsConfig } from "#schemas/config/alerts.ts";
import { RULE_CASES } from "#test/fakes/rule-cases.ts";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { prometheusRules } from "../../scripts/generate/prometheus-rules-file.ts";
import { promtool } from "./programs.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const shipped = AlertsConfig.parse(JSON.parse(readFileSync("configs/alerts.json", "utf8")));

/** In minutes: nothing was ever counted until then. */
const QUIET = 70;

interface RuleFile {
  groups: { rules: { annotations?: object; labels: object }[] }[];
}

const samplesOf = ({ minutes, gauges }: Readings): Sample[] => [...counterSamples(minutes), ...gauges];

function windowMinutes({ expression }: AlertRule): number {
  return expression.kind === "gauge" ? 0 : expression.window_seconds / 60;
}

/**
 * The case as a scrape a minute: quiet, then ill for as long as it takes to fire and a minute, then healed, then well. Counters grow
 * at the first minute of ill and of well. `before`: what they had counted long before; undefined: they begin with their first count,
 * as the platform's do.
 */
function scenario(rule: AlertRule, before: number | undefined) {
  const { ill, well } = RULE_CASES[rule.name]!;
  const [sick, sound] = [samplesOf(ill(NOW)), samplesOf(well(NOW))];
  const held = Math.ceil(rule.for_seconds / 60) + 1;
  const healed = QUIET + Math.max(held, windowMinutes(rule)) + 2;
  const length = healed + held + 2;
  const series = new Map<string, { base: number[]; gauge: boolean }>();
  const add = (samples: readonly Sample[], from: number, to: number) => {
    for (const { name, labels, value } of samples) {
      const gauge = !name.endsWith("_total");
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      const id = `${name}{${pairs.join(",")}}`;
      const { base } = series.get(id) ?? { base: [] };
      for (let at = from; at < (gauge ? to : length); at += 1) base[at] = (base[at] ?? 0) + value;
      series.set(id, { base, gauge });
    }
  };
  add(sick, QUIET, QUIET + held + 1);
  add(sound, healed, length);
  const input_series = [...series].map(([id, { base, gauge }]) => ({
    series: id,
    values: Array.from({ length }, (_, at) => {
      if (gauge) return base[at] ?? 0;
      return before === undefined ? (base[at] ?? "_") : before + (base[at] ?? 0);
    }).join(" "),
  }));
  input_series.push({ series: "agents_tenants_folded", values: `0x${length}` });
  return { input_series, fires: QUIET + held, healed, length };
}

(await needing("Prometheus")).describe("in Prometheus, of the shipped rules", () => {
  it.each(shipped.rules.map((rule) => [rule.name, rule] as const))(
    "%s fires for the fault that it fires for here, and is resolved",
    async (_name, rule) => {
      const directory = temporaryDirectory();
      for (const before of [undefined, 1000]) {
        const { rules, test } = unitTest(rule, before);
        writeFileSync(join(directory, "rules.yml"), stringify(rules));
        writeFileSync(join(directory, "test.yml"), stringify(test));
        expect(await promtool(["test", "rules", join(directory, "test.yml")])).toContain("SUCCESS");
      }
    },
  );
});

/** https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ */
function unitTest(rule: AlertRule, before: number | undefined) {
  const { input_series, fires, healed, length } = scenario(rule, before);
  const rules = parse(prometheusRules({ ...shipped, rules: [rule] }).text) as RuleFile;
  const [made] = rules.groups[0]!.rules;
  delete made!.annotations;
  const [measured] = evaluateRule(rule, RULE_CASES[rule.name]!.ill(NOW));
  const firing = [{ exp_labels: { ...made!.labels, ...measured!.labels } }];
  const at = (minute: number, exp_alerts: object[]) => ({
    eval_time: `${minute}m`,
    alertname: rule.name,
    exp_alerts,
  });
  const alert_rule_test = [
    at(3, []),
    at(QUIET - 1, []),
    at(fires, firing),
    at(healed - 1, []),
    at(length - 1, []),
  ];
  const tests = [{ interval: "1m", input_series, alert_rule_test }];
  return { rules, test: { rule_files: ["rules.yml"], evaluation_interval: "1m", tests } };
}
