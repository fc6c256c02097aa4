import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { FAILURE, TASK } from "#lib/platform/table/items.ts";
import { type Item, keyOfItem, listOf, OPEN_SHARDS } from "#lib/platform/table/keys.ts";
import { getItem, type TablePorts } from "#lib/platform/table/operations.ts";
import { queryOnce, queryPages } from "#lib/platform/table/queries.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** What waits for one service. */
export interface Backlog {
  service: string;
  /** Messages that may be received. */
  waiting: number;
  /** Messages that were received and are not done, or that are delayed. */
  in_flight: number;
  dead_lettered: number;
  /** Since the oldest step that was sent to the service and is not done; 0 when there is none. */
  oldest_age_seconds: number;
  /** Since the oldest message in the dead-letter queue; 0 when there is none. */
  dead_letter_age_seconds: number;
}

export interface BacklogPorts extends TablePorts {
  sqs: SQSClient;
  queueUrl(service: string): string;
  deadLetterQueueUrl(service: string): string;
  runtime: Pick<Runtime, "now">;
}

/**
 * The backlog of every service that has a queue: two requests of SQS each, eight queries and at most 40 reads for the ages of open work, and one query a
 * tenant for the ages of dead letters when there are any: only then are the tenants asked for.
 */
export async function readBacklog(
  services: readonly string[],
  tenants: () => Promise<readonly string[]>,
  ports: BacklogPorts,
): Promise<Backlog[]> {
  const [depths, sent] = await Promise.all([
    Promise.all(services.map((service) => depthOf(service, ports))),
    oldestSent(ports),
  ]);
  const dead = depths.some(({ dead_lettered }) => dead_lettered > 0)
    ? await oldestDeadLetters(await tenants(), ports)
    : new Map<string, number>();
  const now = ports.runtime.now();
  const ageOf = (at_ms: number | undefined) => (at_ms === undefined ? 0 : Math.max(0, now - at_ms) / 1000);
  return depths.map((depth) => ({
    ...depth,
    oldest_age_seconds: ageOf(sent.get(depth.service)),
    dead_letter_age_seconds: depth.dead_lettered === 0 ? 0 : ageOf(dead.get(depth.service)),
  }));
}

async function depthOf(service: string, { sqs, queueUrl, deadLetterQueueUrl }: BacklogPorts) {
  const read = async (QueueUrl: string) => {
    const AttributeNames = [
      "ApproximateNumberOfMessages" as const,
      "ApproximateNumberOfMessagesNotVisible" as const,
      "ApproximateNumberOfMessagesDelayed" as const,
    ];
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Attributes;
  };
  const [queue, dead] = await Promise.all([read(queueUrl(service)), read(deadLetterQueueUrl(service))]);
  return {
    service,
    waiting: Number(queue.ApproximateNumberOfMessages ?? 0),
    in_flight:
      Number(queue.ApproximateNumberOfMessagesNotVisible ?? 0) +
      Number(queue.ApproximateNumberOfMessagesDelayed ?? 0),
    dead_lettered:
      Number(dead.ApproximateNumberOfMessages ?? 0) + Number(dead.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}

/** Of each partition of the open tasks, so many are read: those that are to be checked first, which were sent first. */
const OPEN_TASKS_MAX = 5;

/** When the oldest step that is not done was sent, in Unix ms, by service. */
async function oldestSent(ports: TablePorts): Promise<Map<string, number>> {
  const pages = await Promise.all(
    Array.from({ length: OPEN_SHARDS }, (_, shard) =>
      queryOnce(listOf(TASK, "open_tasks", { shard }), { items_max: OPEN_TASKS_MAX }, ports),
    ),
  );
  const listed = pages.flatMap(({ items }) => items);
  const found = await Promise.all(listed.map((item) => getItem(keyOfItem(item), ports)));
  const oldest = new Map<string, number>();
  for (const item of found) {
    const { current, beside, definition } = (item ?? {}) as Partial<TaskRecord>;
    for (const sent of [current, beside]) {
      const agent = definition?.steps.find(({ step }) => step === sent?.step)?.agent;
      if (!sent || agent === undefined) continue;
      const sent_ms = Date.parse(sent.dispatched_at);
      oldest.set(agent, Math.min(sent_ms, oldest.get(agent) ?? sent_ms));
    }
  }
  return oldest;
}

/** SQS keeps a message so long. */
const DEAD_LETTER_DAYS = 14;
const FAILURE_PAGES_MAX = 3;

/** When the oldest message went to each dead-letter queue, in Unix ms, by service. */
async function oldestDeadLetters(
  tenants: readonly string[],
  ports: TablePorts & { runtime: Pick<Runtime, "now"> },
): Promise<Map<string, number>> {
  const oldest = new Map<string, number>();
  const from = new Date(ports.runtime.now() - DEAD_LETTER_DAYS * 86_400_000).toISOString();
  const attributes = ["#service", "sent_at", "discarded_at"];
  for (const tenant of tenants) {
    let pages = 0;
    const options = { attributes, range: { from, to: "~" } };
    for await (const { items } of queryPages(
      listOf(FAILURE, "by_tenant", { list: "open", tenant }),
      options,
      ports,
    )) {
      for (const item of items) {
        if (!isInQueue(item)) continue;
        const sent_ms = Date.parse(String(item.sent_at));
        const service = String(item.service);
        oldest.set(service, Math.min(sent_ms, oldest.get(service) ?? sent_ms));
      }
      pages += 1;
      if (pages === FAILURE_PAGES_MAX) break;
    }
  }
  return oldest;
}

/** `sent_at` is absent again once a replay took the message out. */
function isInQueue({ sent_at, discarded_at }: Item): boolean {
  return sent_at !== undefined && discarded_at === undefined;
}
