import type { ItemKind } from "#lib/platform/table/item-kind.ts";

/*
 * The catalogue: every kind of item in the table. Keys (keys.ts), the roles of the functions
 * (scripts/serverless/access) and docs/reference/table.md are made of it. Each kind is a constant of
 * its own and nothing but data, so that a function's bundle holds the kinds it uses.
 */

export const TASK = {
  about:
    "A task as its submitter asked for it, and how far it has come. Replaced only on condition of its " +
    "`version`. Its steps and deliveries share its partition, so one query reads its ledger",
  partition: "TASK#<tenant>#<task_id>",
  sort: "TASK",
  lists: {
    by_tenant: { partition: "TASKS#<tenant>", sort: "<created_at>#<task_id>", when: "always" },
    open_tasks: { partition: "OPEN#<shard>", sort: "<check_at>", when: "until it has ended" },
  },
  record: "TaskRecord",
  kept: { set_by: "`tasks_days` of configs/artifacts.json", after: "its deadline, once it is sealed" },
  access: {
    submit_tasks: ["PutItem"],
    read_tasks: ["GetItem", "Query", "Query by_tenant"],
    replay_failures: ["GetItem", "PutItem", "Query"],
    edit_failures: ["GetItem", "PutItem", "Query"],
    advance_tasks: ["GetItem", "PutItem", "Query"],
    find_open_tasks: ["GetItem", "Query open_tasks"],
    read_metrics: ["GetItem", "Query open_tasks"],
    observe_platform: ["GetItem", "Query open_tasks"],
  },
} as const satisfies ItemKind;

export const STEP = {
  about:
    "One round of a step. It is the idempotency record: whoever claims it runs the step, and every later " +
    "write is conditional on `owner` and `fence` of that claim",
  partition: "TASK#<tenant>#<task_id>",
  sort: "STEP#<step>#<round>",
  lists: {
    by_tenant: {
      partition: "ARTIFACTS#<tenant>",
      sort: "<completed_at>#<task_id>#<step>#<round>",
      when: "once it has completed",
    },
  },
  record: "StepRecord",
  kept: { set_by: "`tasks_days` of configs/artifacts.json", after: "its task's deadline" },
  access: {
    run_steps: ["GetItem", "UpdateItem"],
    replay_failures: ["GetItem", "UpdateItem", "Query"],
    edit_failures: ["UpdateItem", "Query"],
    advance_tasks: ["GetItem", "UpdateItem", "Query"],
    read_tasks: ["Query", "Query by_tenant"],
  },
} as const satisfies ItemKind;

export const DELIVERY = {
  about: "One event for one webhook, claimed as a step is. No workflow knows of it",
  partition: "TASK#<tenant>#<task_id>",
  sort: "DELIVERY#<step>",
  lists: {
    by_tenant: { partition: "DELIVERIES#<tenant>", sort: "<started_at>#<task_id>#<step>", when: "always" },
    open_tasks: { partition: "OPEN_DELIVERIES#<shard>", sort: "<check_at>", when: "until it has ended" },
  },
  record: "DeliveryRecord",
  kept: { set_by: "`tasks_days` of configs/artifacts.json", after: "its first deadline" },
  access: {
    advance_tasks: ["PutItem"],
    deliver_webhooks: ["GetItem", "UpdateItem"],
    replay_failures: ["GetItem", "UpdateItem"],
    read_failures: ["GetItem"],
    manage_webhooks: ["UpdateItem", "Query by_tenant"],
    find_open_deliveries: ["GetItem", "UpdateItem", "Query open_tasks"],
  },
} as const satisfies ItemKind;

export const WEBHOOK = {
  about: "Where a tenant is told of its tasks' ends. Replaced only on condition of its `revision`",
  partition: "WEBHOOKS#<tenant>",
  sort: "<webhook_id>",
  record: "WebhookRecord",
  kept: "until deleted",
  access: {
    manage_webhooks: ["GetItem", "PutItem", "DeleteItem", "Query"],
    deliver_webhooks: ["GetItem", "PutItem"],
    find_webhooks: ["Query"],
  },
} as const satisfies ItemKind;

export const FAILURE = {
  about:
    "Why a message went to a dead-letter queue, and what became of it. Open failures are listed for all tenants in " +
    "`open_tasks`; each tenant's open and settled ones (`list`) in `by_tenant`",
  partition: "FAILURE#<tenant>",
  sort: "<failure_id>",
  lists: {
    by_tenant: { partition: "FAILURES#<list>#<tenant>", sort: "<last_at>#<failure_id>", when: "always" },
    open_tasks: {
      partition: "OPEN_FAILURES#<shard>",
      sort: "<last_at>#<failure_id>",
      when: "until it is replayed, resolved or discarded",
    },
  },
  record: "FailureRecord",
  kept: { days: 30, after: "it failed last" },
  access: {
    serve_queue: ["PutItem", "UpdateItem"],
    read_metrics: ["Query by_tenant"],
    observe_platform: ["Query by_tenant"],
    read_failures: ["GetItem", "Query by_tenant", "Query open_tasks"],
    edit_failures: ["PutItem", "UpdateItem"],
    replay_failures: ["GetItem", "UpdateItem", "Query by_tenant", "Query open_tasks"],
    sweep_dead_letters: ["GetItem", "PutItem", "UpdateItem"],
  },
} as const satisfies ItemKind;

export const REPLAY_JOB = {
  about:
    "A job that replays or discards failures: what it takes, how it goes, what an operator ordered of it. `run` " +
    "grows when it is resumed, and only the worker of the present run moves it",
  partition: "REPLAY#<tenant>#<replay_id>",
  sort: "JOB",
  lists: {
    by_tenant: { partition: "REPLAYS#<tenant>", sort: "<created_at>#<replay_id>", when: "always" },
    open_tasks: { partition: "OPEN_REPLAYS#<shard>", sort: "<check_at>", when: "while it runs" },
  },
  record: "ReplayJobRecord",
  kept: { days: 30, after: "it was written last" },
  access: {
    manage_replays: ["GetItem", "PutItem", "UpdateItem", "Query by_tenant"],
    replay_failures: ["GetItem", "UpdateItem"],
    find_open_replays: ["GetItem", "UpdateItem", "Query open_tasks"],
  },
} as const satisfies ItemKind;

export const REPLAY_CLAIM = {
  about: "One run of a replay job, claimed as a step is",
  partition: "REPLAY#<tenant>#<replay_id>",
  sort: "CLAIM#<step>#<round>",
  record: "StepRecord",
  kept: { days: 30, after: "its job's deadline" },
  access: { replay_failures: ["GetItem", "UpdateItem"], find_open_replays: ["GetItem"] },
} as const satisfies ItemKind;

export const REPLAY_RESULT = {
  about: "One failure of a replay job and what became of it, in the order of the job",
  partition: "REPLAY#<tenant>#<replay_id>",
  sort: "RESULT#<order>",
  record: "ReplayResultRecord",
  kept: { days: 30, after: "it was written" },
  access: { replay_failures: ["PutItem", "UpdateItem", "Query"], manage_replays: ["Query"] },
} as const satisfies ItemKind;

export const DEAD_LETTER_SWEEP = {
  about:
    "When the dead-letter queues were read last, and by `services` how many messages each held then. Tells the " +
    "sweep which of them changed since",
  partition: "DEAD_LETTER_SWEEP",
  sort: "SWEEP",
  kept: "until deleted",
  access: { note_sweeps: ["GetItem", "PutItem"], read_failures: ["GetItem"] },
} as const satisfies ItemKind;

export const IDEMPOTENCY = {
  about: "One key of `runOnce`: who works on it, or the response of the call that did",
  partition: "IDEMPOTENCY#<namespace>#<key>",
  sort: "IDEMPOTENCY",
  record: "IdempotencyRecord",
  kept: { set_by: "`expires_after_seconds` of its caller", after: "the last sign of life" },
  access: { ask_models: ["GetItem", "UpdateItem"] }, // and handlers outside this system: docs/guides/idempotency.md
} as const satisfies ItemKind;

export const MODEL_SPENDING = {
  about:
    "What a tenant spent on models on one day (UTC), or has set aside for questions under way: `tokens`, and " +
    "`usd_micros`, millionths of a USD",
  partition: "MODEL_SPENDING#<tenant>",
  sort: "<day>",
  kept: { days: 90, after: "it was written last" },
  access: { ask_models: ["UpdateItem"], count_agent_use: ["UpdateItem"] },
} as const satisfies ItemKind;

export const API_KEY = {
  about: "An API key. Its secret is stored as an HMAC only",
  partition: "KEY#<key_id>",
  sort: "KEY",
  lists: { by_tenant: { partition: "KEYS#<tenant>", sort: "<created_at>#<key_id>", when: "always" } },
  record: "ApiKeyRecord",
  kept: { days: 90, after: "it was revoked or its time was over" },
  access: {
    // Finds the key, and may note when it was last used, but nothing else.
    judge_credentials: ["GetItem", { UpdateItem: ["tenant", "last_used_at", "expires_at"] }],
    manage_keys: ["PutItem", "UpdateItem", "Query by_tenant"],
  },
} as const satisfies ItemKind;

export const AUDIT_ENTRY = {
  about: "Who did what. Added once; nothing may change or delete it (docs/decisions/0009-credentials.md)",
  partition: "AUDIT#<tenant>",
  sort: "<entry_id>",
  lists: { by_tenant: { partition: "AUDIT#<tenant>", sort: "<at>#<entry_id>", when: "always" } },
  record: "AuditRecord",
  kept: { set_by: "`audit_days` of configs/authentication.json", after: "it was written" },
  access: { write_audit: ["PutItem", "GetItem"], read_audit: ["Query by_tenant"] },
} as const satisfies ItemKind;

export const FAILED_ATTEMPTS = {
  about: "`failures`: refused credentials from one network address in one window of time",
  partition: "ATTEMPTS#<network>",
  sort: "<window>",
  kept: {
    set_by: "`failures_window_seconds` of configs/authentication.json, twice",
    after: "its window began",
  },
  access: { limit_requests: ["UpdateItem"] },
} as const satisfies ItemKind;

export const RATE_LIMIT = {
  about: "The bucket of one tenant and route: when it is full again, and how many requests it gave today",
  partition: "LIMIT#<tenant>#<route>#<shard>",
  sort: "LIMIT",
  kept: { days: 3, after: "it was last used" },
  access: { limit_requests: ["GetItem", "UpdateItem"], send_notices: ["GetItem", "UpdateItem"] },
} as const satisfies ItemKind;

export const CIRCUIT = {
  about:
    "The circuit before one dependency, moved only on condition of its `generation`; and for each part of " +
    "the window what all environments counted, in attributes `<start of the part in ms>|<count>`",
  partition: "CIRCUITS",
  sort: "<key>",
  record: "CircuitRecord",
  kept: { days: 30, after: "it was last called through" },
  access: {
    guard_dependencies: ["GetItem", "UpdateItem"],
    command_circuits: ["GetItem", "UpdateItem", "Query"],
    observe_platform: ["Query"],
    replay_failures: ["Query"],
  },
} as const satisfies ItemKind;

export const COUNTS = {
  about:
    "What the environments of one slot of a service counted for one tenant in one minute: a number for each metric. " +
    "Its partition is a block of five minutes (UTC). Approximate (docs/reference/counts.md)",
  partition: "METRICS#<block>",
  sort: "<tenant>#<minute>#<service>#<role>#<shard>#<slot>",
  kept: { days: 1, after: "its block began" },
  access: { write_metrics: ["UpdateItem"], read_metrics: ["Query"], add_up_metrics: ["Query"] },
} as const satisfies ItemKind;

export const COUNTS_OF_HOUR = {
  about:
    "What a service counted for one tenant in one hour (UTC), added up from `COUNTS`. `rolled_up_to`: the last block that is in " +
    "it, so that a block is added once however often that is tried",
  partition: "METRICS_HOURS#<day>",
  sort: "<tenant>#<hour>#<service>#<role>#<shard>",
  kept: { days: 32, after: "its hour began" },
  access: { read_metrics: ["Query"], add_up_metrics: ["UpdateItem"] },
} as const satisfies ItemKind;

export const COUNTS_IN_TOTAL = {
  about: "What a service counted for one tenant since ever, as `COUNTS_OF_HOUR`: these numbers only grow",
  partition: "METRICS_TOTALS",
  sort: "<tenant>#<service>#<role>#<shard>",
  kept: { days: 400, after: "it was last added to" },
  access: { read_metrics: ["Query"], observe_platform: ["Query"], add_up_metrics: ["UpdateItem"] },
} as const satisfies ItemKind;

export const COUNTS_PROGRESS = {
  about:
    "`rolled_up_to`: the last block of `COUNTS` that was added up whole. Moved only from the value that was read",
  partition: "METRICS_PROGRESS",
  sort: "METRICS_PROGRESS",
  kept: "until deleted",
  access: { read_metrics: ["GetItem"], add_up_metrics: ["GetItem", "UpdateItem"] },
} as const satisfies ItemKind;

export const ALERT = {
  about:
    "How one rule of configs/alerts.json stands for one set of labels. Moved only on condition of its `version`",
  partition: "ALERTS",
  sort: "<alert_id>",
  record: "AlertRecord",
  kept: { days: 30, after: "it changed last" },
  access: { evaluate_alerts: ["PutItem", "Query"], read_alerts: ["Query"] },
} as const satisfies ItemKind;

export const SILENCE = {
  about: "Alerts that are not told for a time, as an operator asked",
  partition: "SILENCES",
  sort: "<silence_id>",
  record: "SilenceRecord",
  kept: { days: 7, after: "its end" },
  access: { evaluate_alerts: ["Query"], read_alerts: ["Query"], silence_alerts: ["PutItem"] },
} as const satisfies ItemKind;

export const ALERT_EVALUATION = {
  about: "`at_ms`: when alerts were evaluated last, in Unix ms",
  partition: "ALERT_EVALUATION",
  sort: "ALERT_EVALUATION",
  kept: "until deleted",
  access: { evaluate_alerts: ["GetItem", "PutItem"], read_alerts: ["GetItem"] },
} as const satisfies ItemKind;

export const NOTICE = {
  about: "One notice of an alert for one sink, claimed as a step is, so that it is sent once",
  partition: "NOTICE#<tenant>#<task_id>",
  sort: "NOTICE#<step>#<round>",
  record: "StepRecord",
  kept: { set_by: "`tasks_days` of configs/artifacts.json", after: "its deadline" },
  access: { send_notices: ["GetItem", "UpdateItem"] },
} as const satisfies ItemKind;

export const SPANS = {
  about:
    "`spans`: what one invocation recorded of a task's trace and no write of the ledger carried (decision 0027)",
  partition: "TRACE#<tenant>#<task_id>",
  sort: "SPANS#<at>#<invocation>",
  kept: { days: 14, after: "it was written" },
  access: { write_traces: ["PutItem"], read_tasks: ["Query"] },
} as const satisfies ItemKind;

export const GRAPH_POINTER = {
  about: "Which snapshot of a repository's code graph is current. Moved only on condition of its `version`",
  partition: "GRAPH#<tenant>#<repository>",
  sort: "POINTER",
  lists: { by_tenant: { partition: "GRAPHS#<tenant>", sort: "<repository>", when: "always" } },
  kept: "until deleted",
  access: { read_graphs: ["GetItem"], write_graphs: ["PutItem"] },
} as const satisfies ItemKind;

export const STATUS = {
  about: "Never written. Read to see whether the table answers",
  partition: "STATUS",
  sort: "STATUS",
  kept: "until deleted",
  access: { check_parts: ["GetItem"] },
} as const satisfies ItemKind;
