import {
  attributesOf,
  indexed,
  items,
  noticeMissingObjects,
  objects,
  queues,
  type Statement,
} from "./statement.ts";

/** The queues a grant may name. */
export interface QueueIds {
  /** Logical id of each agent's queue, by agent. */
  queues: Record<string, string>;
  /** Logical id of each agent's DLQ, by agent. */
  dead_letter_queues: Record<string, string>;
}

const ORCHESTRATOR = "orchestrator";
const WEBHOOKS = "webhooks";

/**
 * What functions may do, by the name that `access:` in serverless.yml uses. A grant is one duty, with
 * no more than the code behind it asks for: test/e2e/access.test.ts compares both.
 */
const GRANTS = {
  /** lib/platform/metrics/rollup.ts */
  write_metrics: () => [items(["METRICS"], ["UpdateItem"])],
  /** lib/platform/trace/task-spans.ts */
  write_traces: () => [items(["TRACE#*"], ["PutItem"])],
  /** lib/http/auth: finds the key, and may note of it when it was last used, but nothing else. */
  judge_credentials: () => [
    items(["KEY#*"], ["GetItem"]),
    attributesOf(["KEY#*"], ["UpdateItem"], ["pk", "sk", "tenant", "last_used_at", "expires_at"]),
  ],
  /** lib/http/auth/failed-attempts.ts, lib/resilience/rate-limit */
  limit_requests: () => [
    items(["LIMIT#*"], ["GetItem", "UpdateItem"]),
    items(["ATTEMPTS#*"], ["UpdateItem"]),
  ],
  /** lib/http/audit: entries are added; nothing may change or remove one, docs/decisions/0009-credentials.md. */
  write_audit: () => [items(["AUDIT#*"], ["PutItem", "GetItem"])],
  read_audit: () => [indexed("by_tenant", ["AUDIT#*"])],
  /** functions/gateway: accepts a task with its source, and nudges the orchestrator. */
  submit_tasks: ({ queues: by_agent }: QueueIds) => [
    items(["TASK#*"], ["PutItem"]),
    objects("tenants/*/blobs/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    objects("tenants/*/uploads/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    noticeMissingObjects(),
    queues(pick(by_agent, ORCHESTRATOR), ["SendMessage"]),
  ],
  /** functions/gateway: tasks, their traces and artifacts, as the API shows them. */
  read_tasks: () => [
    items(["TASK#*", "TRACE#*", "METRICS"], ["Query"]),
    items(["TASK#*"], ["GetItem"]),
    indexed("by_tenant", ["TASKS#*", "ARTIFACTS#*"]),
  ],
  manage_keys: () => [items(["KEY#*"], ["PutItem", "UpdateItem"]), indexed("by_tenant", ["KEYS#*"])],
  /** functions/gateway/webhook-routes.ts; deliveries are kept with their tasks. */
  manage_webhooks: ({ queues: by_agent }: QueueIds) => [
    items(["WEBHOOKS#*"], ["GetItem", "PutItem", "DeleteItem", "Query"]),
    items(["TASK#*"], ["UpdateItem"]),
    indexed("by_tenant", ["DELIVERIES#*"]),
    queues(pick(by_agent, WEBHOOKS), ["SendMessage"]),
  ],
  /** functions/webhooks: claims a delivery, and ends what is sent to a receiver that is gone. */
  deliver_webhooks: () => [
    items(["WEBHOOKS#*"], ["GetItem", "PutItem"]),
    items(["TASK#*"], ["GetItem", "UpdateItem"]),
  ],
  /** functions/orchestrator/advance.ts: whom to tell of an end. */
  find_webhooks: () => [items(["WEBHOOKS#*"], ["Query"])],
  command_circuits: () => [items(["CIRCUITS"], ["GetItem", "Query", "UpdateItem"])],
  /** functions/gateway/integration-status.ts; HeadBucket is s3:ListBucket, of submit_tasks. */
  check_parts: ({ queues: by_agent, dead_letter_queues }: QueueIds) => [
    items(["STATUS"], ["GetItem"]),
    queues([...Object.values(by_agent), ...Object.values(dead_letter_queues)], ["GetQueueAttributes"]),
  ],
  /** functions/orchestrator: decides from the ledger, sends steps, seals what has ended. */
  advance_tasks: ({ queues: by_agent }: QueueIds) => [
    items(["TASK#*"], ["Query", "PutItem", "GetItem", "UpdateItem"]),
    objects("tenants/*/blobs/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    objects("tenants/*/tasks/*", ["PutObject", "PutObjectTagging"]),
    noticeMissingObjects(),
    queues(Object.values(by_agent), ["SendMessage"]),
  ],
  /** functions/orchestrator/sweep.ts */
  find_open_tasks: ({ queues: by_agent }: QueueIds) => [
    indexed("open_tasks", ["OPEN#*"]),
    queues(pick(by_agent, ORCHESTRATOR), ["SendMessage"]),
  ],
  /** functions/orchestrator/sweep-deliveries.ts */
  find_open_deliveries: ({ queues: by_agent }: QueueIds) => [
    indexed("open_tasks", ["OPEN_DELIVERIES#*"]),
    items(["TASK#*"], ["GetItem", "UpdateItem"]),
    queues(pick(by_agent, WEBHOOKS), ["SendMessage"]),
  ],
  /** lib/agents/agent/define-agent.ts: claims a step, reads its input, keeps its artifacts, tells the orchestrator. */
  run_steps: ({ queues: by_agent }: QueueIds) => [
    items(["TASK#*"], ["GetItem", "UpdateItem"]),
    objects("tenants/*/blobs/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    objects("tenants/*/uploads/*", ["GetObject"]),
    queues(pick(by_agent, ORCHESTRATOR), ["SendMessage"]),
  ],
  /** Not for functions that run what was submitted: it would list what other tenants have. */
  notice_missing_blobs: () => [noticeMissingObjects()],
  /** lib/resilience/circuit: stands before the model, Neo4j and each webhook. */
  guard_dependencies: () => [items(["CIRCUITS"], ["GetItem", "UpdateItem"])],
  /** lib/code/graph */
  read_graphs: () => [items(["GRAPH#*"], ["GetItem"]), objects("tenants/*/graph/*", ["GetObject"])],
  write_graphs: () => [
    items(["GRAPH#*"], ["PutItem"]),
    objects("tenants/*/graph/*", ["PutObject", "PutObjectTagging"]),
  ],
} satisfies Record<string, (ids: QueueIds) => Statement[]>;

/** What an agent without an `access:` of its own gets. */
export const AGENT_ACCESS = ["run_steps"];

/** The statements of the named grants. Throws when there is no such grant. */
export function grantedBy(names: readonly string[], ids: QueueIds): Statement[] {
  return names.flatMap((name) => {
    const grant = Object.hasOwn(GRANTS, name) ? GRANTS[name as keyof typeof GRANTS] : undefined;
    if (!grant) throw new Error(`access: there is no ${name}; there are ${Object.keys(GRANTS).join(", ")}`);
    return grant(ids);
  });
}

function pick(by_agent: Record<string, string>, agent: string): string[] {
  const id = by_agent[agent];
  return id === undefined ? [] : [id];
}
