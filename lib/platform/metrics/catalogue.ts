/*
 * The catalogue of metrics. Every count of the code is one of these; the summary, the Prometheus endpoint and
 * docs/reference/metrics.md are made of it. Names follow https://prometheus.io/docs/practices/naming/.
 */

/** Labels of every series. A family may add one of its own. */
export const LABELS = ["service", "role", "shard", "tenant"] as const;

interface Family {
  help: string;
  /** Its own label, beside `LABELS`. */
  label?: string;
  /** Name of the sum in the table → value of the family's label; a family without a label has one sum. */
  sums: Readonly<Record<string, string>>;
  /** The sum's unit over the family's: 1e-6 for millionths of a USD. */
  scale?: number;
}

/** Counters: sums that only grow. */
export const COUNTERS = {
  agents_messages_total: {
    help: "Messages handled, by what became of them; retry and throttle come back, park waits for a dependency",
    label: "outcome",
    sums: {
      messages_acknowledged: "acknowledged",
      messages_retry: "retry",
      messages_throttle: "throttle",
      messages_park: "park",
      messages_reject: "reject",
      messages_terminal: "dead_lettered",
    },
  },
  agents_steps_total: {
    help: "Steps that ended, by verdict",
    label: "verdict",
    sums: { steps_passed: "passed", steps_failed: "failed", steps_error: "error" },
  },
  agents_step_attempts_total: {
    help: "Attempts of steps that began, by whether they were the first",
    label: "attempt",
    sums: { step_attempts_first: "first", step_attempts_again: "again" },
  },
  agents_step_attempts_exhausted_total: {
    help: "Steps that ended because no attempt, or no time for one, was left",
    sums: { retries_exhausted: "" },
  },
  agents_steps_parked_total: {
    help: "Times a step was parked for a dependency that did not answer",
    sums: { steps_parked: "" },
  },
  agents_steps_redispatched_total: {
    help: "Steps that were sent again because nothing was heard of them",
    sums: { steps_redispatched: "" },
  },
  agents_steps_replayed_total: {
    help: "Steps that ended after an operator had replayed them",
    sums: { steps_replayed: "" },
  },
  agents_duplicates_blocked_total: {
    help: "Messages whose step was done already, or canceled, and that therefore did nothing",
    sums: { duplicates_blocked: "" },
  },
  agents_tasks_ended_total: {
    help: "Tasks that ended, by status; approximate, the exact numbers are agents_tasks",
    label: "status",
    sums: { tasks_succeeded: "succeeded", tasks_failed: "failed", tasks_canceled: "canceled" },
  },
  agents_tasks_swept_total: {
    help: "Times the sweeper nudged an open task that nothing had happened to",
    sums: { tasks_swept: "" },
  },
  agents_webhook_deliveries_resent_total: {
    help: "Webhook deliveries that the sweeper sent again",
    sums: { deliveries_resent: "" },
  },
  agents_dependency_calls_total: {
    help: "Calls of dependencies that were answered or failed",
    sums: { dependency_calls: "" },
  },
  agents_dependency_call_failures_total: {
    help: "Calls of dependencies that failed",
    sums: { dependency_failures: "" },
  },
  agents_dependency_calls_held_total: {
    help: "Calls of dependencies that were not made: circuit open, damped to a share, or no budget for retries",
    label: "reason",
    sums: { calls_parked: "circuit_open", calls_damped: "damped", retries_parked: "retry_budget" },
  },
  agents_circuit_transitions_total: {
    help: "Changes of a circuit's state",
    label: "event",
    sums: {
      circuit_opened: "opened",
      circuit_half_opened: "half_opened",
      circuit_closed: "closed",
      circuit_forced_open: "forced_open",
      circuit_forced_closed: "forced_closed",
      circuit_reset: "reset",
    },
  },
  agents_http_requests_total: {
    help: "Requests answered, by the class of the status",
    label: "status_class",
    sums: { http_1xx: "1xx", http_2xx: "2xx", http_3xx: "3xx", http_4xx: "4xx", http_5xx: "5xx" },
  },
  agents_http_requests_unauthenticated_total: {
    help: "Requests with a credential that was refused",
    sums: { authentication_failed: "" },
  },
  agents_http_requests_limited_total: {
    help: "Requests refused because a rate or a day's quota was spent",
    sums: { rate_limited: "" },
  },
  agents_rate_limit_table_requests_total: {
    help: "Requests of the rate limiter to the table",
    label: "kind",
    sums: { rate_limit_reads: "read", rate_limit_writes: "write", rate_limit_outages: "failed" },
  },
  agents_config_events_total: {
    help: "Changes of configuration files that a process noticed",
    label: "event",
    sums: {
      config_changed: "changed",
      config_rejected: "rejected",
      config_recovered: "recovered",
      config_unreadable: "unreadable",
    },
  },
  agents_sandbox_limits_hit_total: {
    help: "Steps that a limit of the sandbox ended",
    sums: { sandbox_limits_hit: "" },
  },
  agents_model_tokens_total: {
    help: "Tokens that models were asked and answered, and that coding agents state",
    sums: { model_tokens: "" },
  },
  agents_model_cost_usd_total: {
    help: "Money spent on models, and stated by coding agents, in USD",
    sums: { model_usd_micros: "" },
    scale: 1e-6,
  },
  agents_model_budget_refusals_total: {
    help: "Questions to models that were not asked because a budget was spent",
    sums: { model_budget_refused: "" },
  },
  agents_graph_refusals_total: {
    help: "Steps that ended because the store of the code graph does not conform: it has another index, or refuses a statement",
    sums: { graph_not_conforming: "" },
  },
  agents_graph_faults_total: {
    help: "Vectors and queries that a check of the code graph refused, by fault; what they concern is found by words only",
    label: "fault",
    sums: {
      graph_faults_vector_dimension: "vector_dimension",
      graph_faults_vector_not_finite: "vector_not_finite",
      graph_faults_vector_zero: "vector_zero",
      graph_faults_embedder_changed: "embedder_changed",
      graph_faults_index_dimension: "index_dimension",
      graph_faults_index_similarity: "index_similarity",
    },
  },
  agents_aws_requests_total: {
    help: "Requests made of AWS while messages and requests were served",
    label: "aws_service",
    sums: { aws_dynamodb: "dynamodb", aws_s3: "s3", aws_sns: "sns", aws_sqs: "sqs" },
  },
} as const satisfies Record<string, Family>;

/** Histograms of durations. The name of each in the table is the key. */
export const HISTOGRAMS = {
  message: {
    name: "agents_message_duration_seconds",
    help: "Time that one message took, from its receipt to its end",
  },
  queue_wait: {
    name: "agents_message_wait_seconds",
    help: "Time a message was in its queue before it was received for the first time",
  },
  step: { name: "agents_step_duration_seconds", help: "Time that one attempt of a step ran" },
  task: { name: "agents_task_duration_seconds", help: "Time from a task's acceptance to its end" },
  http: { name: "agents_http_request_duration_seconds", help: "Time until a request was answered" },
} as const satisfies Record<string, { name: string; help: string }>;

/** What is read when somebody asks, not counted. Labels are listed, for not all have all of `LABELS`. */
export const GAUGES = {
  agents_queue_messages: {
    help: "Messages in a queue, by state",
    labels: [...LABELS, "state"],
  },
  agents_queue_oldest_age_seconds: {
    help: "Age of the oldest work that was sent to the service and is not done; 0 when there is none",
    labels: LABELS,
  },
  agents_dead_letters: { help: "Messages in a dead-letter queue", labels: LABELS },
  agents_dead_letter_oldest_age_seconds: {
    help: "Age of the oldest message that went to a dead-letter queue and is still there; 0 when there is none",
    labels: LABELS,
  },
  agents_circuit_open: {
    help: "1 while a circuit lets no calls through, else 0",
    labels: [...LABELS, "circuit"],
  },
  agents_circuit_damped_ratio: {
    help: "Share of calls that a closed circuit holds back; 0 while it lets all through, and while it is open",
    labels: [...LABELS, "circuit"],
  },
  agents_tasks: {
    help: "Tasks accepted in the last 24 hours, by status; exact, from the ledger",
    labels: [...LABELS, "status"],
  },
  agents_task_verdicts: {
    help: "Ended tasks of the last 24 hours, by verdict; exact, from the ledger",
    labels: [...LABELS, "verdict"],
  },
  agents_tenants_folded: {
    help: "Tenants whose series are added up as tenant other, because no more may have their own",
    labels: LABELS,
  },
  agents_alert_evaluation_age_seconds: {
    help: "Time since alerts were evaluated last",
    labels: LABELS,
  },
  agents_alerts_firing: {
    help: "Alerts that fire, by rule",
    labels: [...LABELS, "rule"],
  },
  agents_metrics_rollup_lag_seconds: {
    help: "Time since the last five minutes that were added to the totals",
    labels: LABELS,
  },
} as const satisfies Record<string, { help: string; labels: readonly string[] }>;
export type GaugeName = keyof typeof GAUGES;

/** The gauges that rules of configs/alerts.json may be about: the evaluator reads no others. */
export const EVALUATED_GAUGES: readonly GaugeName[] = [
  "agents_queue_messages",
  "agents_queue_oldest_age_seconds",
  "agents_dead_letters",
  "agents_dead_letter_oldest_age_seconds",
  "agents_circuit_open",
  "agents_circuit_damped_ratio",
  "agents_alert_evaluation_age_seconds",
];

type SumsOf<Families extends Record<string, Family>> = {
  [Name in keyof Families]: keyof Families[Name]["sums"] & string;
}[keyof Families];

/** A sum that code may add to. */
export type CountedMetric = SumsOf<typeof COUNTERS>;
/** A duration that code may record. */
export type TimedMetric = keyof typeof HISTOGRAMS;

/** Upper bounds of the histograms' buckets in ms; what is above the last one is in the count only. */
export const BUCKETS_MS = [10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 900_000];

/** The sums in the table that a duration adds to: its total, its count, and one bucket. */
export function durationSums(metric: TimedMetric, milliseconds: number): [string, number][] {
  const bound = BUCKETS_MS.find((each) => milliseconds <= each);
  return [
    [`${metric}_ms_sum`, Math.round(milliseconds)],
    [`${metric}_count`, 1],
    ...(bound === undefined ? [] : [[bucketSum(metric, bound), 1] as [string, number]]),
  ];
}

/** The name in the table of one bucket: durations up to its bound and above the bound before it. */
export function bucketSum(metric: TimedMetric, bound_ms: number): string {
  return `${metric}_le_${bound_ms}`;
}

/** Where a count without a type comes from, such as an event's name. Throws TypeError for what is in no catalogue. */
export function countedMetric(name: string): CountedMetric {
  for (const { sums } of Object.values(COUNTERS)) if (Object.hasOwn(sums, name)) return name as CountedMetric;
  throw new TypeError(`the catalogue has no metric ${name}`);
}
