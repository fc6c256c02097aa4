import {
  bedrockModels,
  mergedByActions,
  mergedByKeys,
  noticeMissingObjects,
  objects,
  queues,
  type Statement,
  secrets,
} from "./statement.ts";
import { tableDuties, tableGrants } from "./table-grants.ts";

/** The queues a grant may name. */
export interface QueueIds {
  /** Logical id of each agent's queue, by agent. */
  queues: Record<string, string>;
  /** Logical id of each agent's DLQ, by agent. */
  dead_letter_queues: Record<string, string>;
  stage: string;
}

const ORCHESTRATOR = "orchestrator";
const WEBHOOKS = "webhooks";
const ALERTS = "alerts";
const REPLAYS = "replays";

/**
 * What duties may do with objects and queues, by the name that `access:` in serverless.yml uses. What they
 * may do with the table is in its catalogue: lib/platform/table/items.ts. A grant has no more than the
 * code behind it asks for: test/e2e/access.long.test.ts compares both.
 */
const GRANTS: Readonly<Record<string, (ids: QueueIds) => Statement[]>> = {
  /** functions/gateway: accepts a task with its source, and nudges the orchestrator. */
  submit_tasks: ({ queues: by_agent }) => [
    objects("tenants/*/blobs/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    objects("tenants/*/uploads/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    noticeMissingObjects(),
    queues(pick(by_agent, ORCHESTRATOR), ["SendMessage"]),
  ],
  /** functions/gateway/artifact-links.ts: a link is signed by the gateway's role, which must be allowed to read it. */
  read_tasks: () => [objects("tenants/*/tasks/*", ["GetObject"])],
  manage_webhooks: ({ queues: by_agent }) => [queues(pick(by_agent, WEBHOOKS), ["SendMessage"])],
  /** functions/gateway/status-routes.ts; HeadBucket is s3:ListBucket, of submit_tasks. */
  check_parts: ({ queues: by_agent, dead_letter_queues }) => [
    queues([...Object.values(by_agent), ...Object.values(dead_letter_queues)], ["GetQueueAttributes"]),
  ],
  /** functions/observability: reads how full every queue is. */
  observe_platform: ({ queues: by_agent, dead_letter_queues }) => [
    queues([...Object.values(by_agent), ...Object.values(dead_letter_queues)], ["GetQueueAttributes"]),
  ],
  evaluate_alerts: ({ queues: by_agent }) => [queues(pick(by_agent, ALERTS), ["SendMessage"])],
  /** functions/gateway/alerts.ts: a test of the sinks. */
  silence_alerts: ({ queues: by_agent }) => [queues(pick(by_agent, ALERTS), ["SendMessage"])],
  /** functions/gateway/edit-failure.ts and import-failures.ts: sends an edited message, puts an imported one into its DLQ. */
  edit_failures: ({ queues: by_agent, dead_letter_queues }) => [
    queues([...Object.values(by_agent), ...Object.values(dead_letter_queues)], ["SendMessage"]),
  ],
  /** functions/gateway/replay-jobs.ts */
  manage_replays: ({ queues: by_agent }) => [queues(pick(by_agent, REPLAYS), ["SendMessage"])],
  /** functions/alerts, for a sink of kind sns: to the stage's own topic, and to no other. */
  publish_notices: () => [
    { Effect: "Allow", Action: ["sns:Publish"], Resource: { "Fn::Sub": "$" + "{AlarmTopic}" } },
  ],
  /** functions/replays: sends messages again, or has SQS move a whole queue. */
  replay_failures: ({ queues: by_agent, dead_letter_queues }) => [
    queues(Object.values(by_agent), ["SendMessage", "GetQueueAttributes"]),
    queues(Object.values(dead_letter_queues), ["StartMessageMoveTask", "ListMessageMoveTasks"]),
    objects("tenants/*/blobs/*", ["GetObject"]), // payloads that travel by reference, to edit them
  ],
  /** lib/agents/dlq/sweep-dead-letters.ts: the only code that reads or empties a DLQ. */
  sweep_dead_letters: ({ dead_letter_queues }) => [
    queues(Object.values(dead_letter_queues), [
      "ReceiveMessage",
      "DeleteMessage",
      "GetQueueAttributes",
      "ChangeMessageVisibility",
    ]),
  ],
  /** functions/replays/sweep.ts */
  find_open_replays: ({ queues: by_agent }) => [queues(pick(by_agent, REPLAYS), ["SendMessage"])],
  /** functions/orchestrator: decides from the ledger, sends steps, seals what has ended. */
  advance_tasks: ({ queues: by_agent }) => [
    objects("tenants/*/blobs/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    objects("tenants/*/tasks/*", ["PutObject", "PutObjectTagging"]),
    noticeMissingObjects(),
    queues(allBut(by_agent, ALERTS, REPLAYS), ["SendMessage"]),
  ],
  /** functions/orchestrator/sweep.ts */
  find_open_tasks: ({ queues: by_agent }) => [queues(pick(by_agent, ORCHESTRATOR), ["SendMessage"])],
  /** functions/orchestrator/sweep-overdue.ts */
  find_open_deliveries: ({ queues: by_agent }) => [queues(pick(by_agent, WEBHOOKS), ["SendMessage"])],
  /** lib/agents/agent/define-agent.ts: claims a step, reads its input, keeps its artifacts, nudges the orchestrator. */
  run_steps: ({ queues: by_agent }) => [
    objects("tenants/*/blobs/*", ["GetObject", "PutObject", "PutObjectTagging"]),
    objects("tenants/*/uploads/*", ["GetObject"]),
    queues(pick(by_agent, ORCHESTRATOR), ["SendMessage"]),
  ],
  /** Not for functions that run what was submitted: it would list what other tenants have. */
  notice_missing_blobs: () => [noticeMissingObjects()],
  /** lib/platform/secrets: keys of models and of coding agents, and no other secret. */
  read_model_keys: ({ stage }) => [secrets(`distributed-agents/${stage}/MODEL_API_KEY*`)],
  /** functions/codegen/providers/language-model.ts, for a Bedrock model without a key. */
  invoke_bedrock: () => [bedrockModels()],
  /** lib/code/graph */
  read_graphs: () => [objects("tenants/*/graph/*", ["GetObject"])],
  write_graphs: () => [objects("tenants/*/graph/*", ["PutObject", "PutObjectTagging"])],
};

/** What an agent without an `access:` of its own gets. */
export const AGENT_ACCESS = ["run_steps"];

/** What every agent has beside its `access:`. */
export const QUEUE_ACCESS = ["serve_queue", "write_metrics", "write_traces"];

/** The statements of the named grants. Throws when there is no such grant. */
export function grantedBy(names: readonly string[], ids: QueueIds): Statement[] {
  const known = new Set([...tableDuties(), ...Object.keys(GRANTS)]);
  const statements = mergedByKeys(
    names.flatMap((name) => {
      if (!known.has(name))
        throw new Error(`access: there is no ${name}; there are ${[...known].join(", ")}`);
      const grant = Object.hasOwn(GRANTS, name) ? GRANTS[name] : undefined;
      return [...tableGrants(name), ...(grant?.(ids) ?? [])];
    }),
  );
  return mergedByActions(statements);
}

function allBut(by_agent: Record<string, string>, ...left_out: string[]): string[] {
  return Object.entries(by_agent).flatMap(([agent, id]) => (left_out.includes(agent) ? [] : [id]));
}

function pick(by_agent: Record<string, string>, agent: string): string[] {
  const id = by_agent[agent];
  return id === undefined ? [] : [id];
}
