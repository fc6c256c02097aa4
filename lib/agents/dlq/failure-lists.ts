import { replaysIn } from "#lib/agents/dlq/count-replays.ts";
import { type FailurePlace, isOpen } from "#lib/agents/dlq/failure-store.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { INDEXES } from "#lib/platform/table/item-kind.ts";
import { FAILURE } from "#lib/platform/table/items.ts";
import {
  type Item,
  listOf,
  OPEN_SHARDS,
  partitionFields,
  recordFields,
  sortFields,
} from "#lib/platform/table/keys.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { queryAll, queryPages } from "#lib/platform/table/queries.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import type { ReplaysConfig } from "#schemas/config/replays.ts";
import type { FailureFilter, FailureState } from "#schemas/http/dead-letters.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

/** A failure with its id, which its record does not have. */
export interface ListedFailure extends FailurePlace {
  record: FailureRecord;
  /** Its place in the list: `<last_at>#<failure_id>`. */
  position: string;
}

/** Which failures are listed: one tenant's, or every tenant's open ones. */
export type FailureScope = { tenant: string } | { all: true };

export interface ListPorts extends TablePorts {
  runtime: Pick<Runtime, "now">;
}

/** What became of a failure. `replays_per_message_max` as it is configured now. */
export function stateOf(
  record: FailureRecord,
  { replays_per_message_max }: Pick<ReplaysConfig, "replays_per_message_max">,
): FailureState {
  const { discarded_at, settled_at, replayed_at } = record;
  if (discarded_at !== undefined) return "discarded";
  if (settled_at !== undefined) return replayed_at === undefined ? "resolved" : "replayed";
  return replaysIn(record) < replays_per_message_max ? "open" : "permanently_failed";
}

/** When a failure was recorded: a selection that was made before does not hold it. */
function recordedAt({ recorded_at, last_at }: FailureRecord): string {
  return recorded_at !== undefined && recorded_at > last_at ? recorded_at : last_at;
}

/** Whether a failure is one that the filter selects. `text` is looked for in the sentence, the causes and the body. */
export function matchesFilter({ record }: { record: FailureRecord }, filter: FailureFilter): boolean {
  const { queue, agent, tenant, code, fingerprint, trace, task, since, until, text } = filter;
  return (
    (queue ?? record.service) === record.service &&
    (agent ?? record.service) === record.service &&
    (tenant ?? record.tenant) === record.tenant &&
    (code ?? record.code) === record.code &&
    (fingerprint === undefined || record.fingerprint.startsWith(fingerprint)) &&
    (trace === undefined || trace === record.trace_id) &&
    (task === undefined || task === record.task_id) &&
    (since === undefined || Date.parse(record.last_at) >= Date.parse(since)) &&
    (until === undefined || Date.parse(record.last_at) < Date.parse(until)) &&
    (text === undefined || hasText(record, text.toLowerCase()))
  );
}

function hasText({ message, cause_chain, body }: FailureRecord, text: string): boolean {
  return [message, ...cause_chain, body].some((one) => one.toLowerCase().includes(text));
}

const PAGE_ITEMS = 250;

interface Walk {
  list: "open" | "settled";
  /** Latest failure first, or earliest first. */
  order: "latest" | "earliest";
  /** The position to go on behind; with `latest` only. */
  after?: string | undefined;
}

/**
 * The failures of a scope in the order of their last failure, read from the table as far as the caller takes them.
 * The index follows a write within a second or so. Settled failures can be walked for one tenant only.
 */
export async function* walkFailures(
  scope: FailureScope,
  walk: Walk,
  ports: ListPorts,
): AsyncGenerator<ListedFailure, void> {
  const tenants = "tenant" in scope ? [scope.tenant] : await failedTenants(ports);
  const sources = tenants.map((tenant) => readPartition(tenant, walk, ports));
  const heads = await Promise.all(sources.map((source) => source.next()));
  const sign = walk.order === "latest" ? -1 : 1;
  for (;;) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      if (head.done) continue;
      const best = first < 0 ? undefined : heads[first];
      if (!best || best.done || sign * compare(head.value.position, best.value.position) < 0) first = index;
    }
    const [next, source] = [heads[first], sources[first]];
    if (!next || next.done || !source) return;
    yield next.value;
    heads[first] = await source.next();
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The tenants that have open failures. The index over all tenants holds keys only, so it is small. */
async function failedTenants(ports: ListPorts): Promise<string[]> {
  const shards = Array.from({ length: OPEN_SHARDS }, (_, shard) => listOf(FAILURE, "open_tasks", { shard }));
  const listed = await Promise.all(shards.map((partition) => queryAll(partition, {}, ports)));
  const tenants = listed.flat().map((item) => partitionFields(FAILURE, item).tenant);
  return [...new Set(tenants)].sort();
}

async function* readPartition(
  tenant: string,
  { list, order, after }: Walk,
  ports: ListPorts,
): AsyncGenerator<ListedFailure, void> {
  const options = {
    backwards: order === "latest",
    items_max: PAGE_ITEMS,
    ...(after !== undefined && { range: { to: after } }),
  };
  const now = ports.runtime.now();
  const partition = listOf(FAILURE, "by_tenant", { list, tenant });
  for await (const { items } of queryPages(partition, options, ports)) {
    for (const item of items) {
      const listed = readListed(item);
      if (listed.position === after || isExpired(listed.record, now)) continue;
      if (isOpen(listed.record) === (list === "open")) yield listed;
    }
  }
}

function readListed(item: Item): ListedFailure {
  const record = FailureRecord.parse(recordFields(item));
  const { failure_id } = sortFields(FAILURE, item);
  return { tenant: record.tenant, failure_id, record, position: String(item[INDEXES.by_tenant.sort]) };
}

/** Failures that one answer or one job counts at most. */
export const COUNTED_MAX = 10_000;

interface OpenOptions {
  order: Walk["order"];
  limit?: number;
  /** RFC 3339: only failures that were recorded before. */
  recorded_before?: string;
}

/** The open failures of a scope that match, at most `limit`, and whether there are more. */
export async function openFailures(
  scope: FailureScope,
  filter: FailureFilter,
  { order, limit = COUNTED_MAX, recorded_before }: OpenOptions,
  ports: ListPorts,
): Promise<{ found: ListedFailure[]; truncated: boolean }> {
  const found: ListedFailure[] = [];
  for await (const failure of walkFailures(scope, { list: "open", order }, ports)) {
    if (!matchesFilter(failure, filter)) continue;
    if (recorded_before !== undefined && recordedAt(failure.record) >= recorded_before) continue;
    if (found.length === limit) return { found, truncated: true };
    found.push(failure);
  }
  return { found, truncated: false };
}
