import type { CountedMetric, GaugeName } from "#lib/platform/metrics/catalogue.ts";
import { minuteOf } from "#lib/platform/metrics/count-windows.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import type { Readings } from "#lib/work/observation/evaluate-rules.ts";

export const CASE_LABELS = { service: "codegen", role: "worker", shard: "0", tenant: "acme" };

type Counts = Partial<Record<CountedMetric, number>>;

export function counted(amounts: Counts, now_ms: number): Readings {
  const counters = makeCounters();
  for (const [metric, amount] of Object.entries(amounts))
    counters.count(metric as CountedMetric, "acme", amount);
  const sums = new Map(counters.entries().map(({ metric, amount }) => [metric, amount]));
  return { now_ms, minutes: [{ ...CASE_LABELS, minute: minuteOf(now_ms), amounts: sums }], gauges: [] };
}

function standing(name: GaugeName, value: number, labels: Record<string, string>, now_ms: number): Readings {
  return { now_ms, minutes: [], gauges: [{ name, labels: { ...CASE_LABELS, ...labels }, value }] };
}

interface RuleCase {
  /** The rule fires. */
  ill: (now_ms: number) => Readings;
  /** The rule does not fire, though something of the same kind is there. */
  well: (now_ms: number) => Readings;
}

/** A case for each shipped rule, by its name. */
export const RULE_CASES: Readonly<Record<string, RuleCase>> = {
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
