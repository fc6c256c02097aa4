import { replaysIn } from "#lib/agents/dlq/count-replays.ts";
import {
  type FailureScope,
  type ListedFailure,
  matchesFilter,
  openFailures,
  stateOf,
  walkFailures,
} from "#lib/agents/dlq/failure-lists.ts";
import { failureName, failurePlace, UNKNOWN_TENANT } from "#lib/agents/dlq/failure-name.ts";
import { readFailure } from "#lib/agents/dlq/failure-store.ts";
import { countDeadLetters, readSweep } from "#lib/agents/dlq/sweep-dead-letters.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import {
  type DeadLetterQueues,
  type DeadLetterQueueView,
  type FailureFilter,
  type FailureGroup,
  type FailureGroups,
  type FailureList,
  FailureName,
  type FailureView,
  type Freshness,
} from "#schemas/http/dead-letters.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";
import type { GatewayPorts } from "./ports.ts";
import type { FailureQuery } from "./queries.ts";

/** Whoever looks at failures: a tenant's operator its own, one of an operator tenant all. */
export interface Viewer {
  tenant: string;
  /** Their tenant is one of `operator_tenants` in configs/authentication.json. */
  sees_all: boolean;
}

/** Messages that cannot be read belong to no tenant; a tenant that has this name does not see them. */
function maySee({ tenant, sees_all }: Viewer, failure: { tenant: string; record: FailureRecord }): boolean {
  if (sees_all) return true;
  return failure.tenant === tenant && !(tenant === UNKNOWN_TENANT && failure.record.task_id === undefined);
}

/** What a filter of this viewer is looked for in. Another tenant's failures than those they may see match nothing. */
function scopeOf({ tenant, sees_all }: Viewer, filter: FailureFilter): FailureScope {
  if (!sees_all) return { tenant };
  return filter.tenant === undefined ? { all: true } : { tenant: filter.tenant };
}

export async function freshnessOf(ports: GatewayPorts): Promise<Freshness> {
  const as_of = instant(ports.runtime.now());
  const sweep = await readSweep(ports);
  return { as_of, swept_at: sweep?.swept_at ?? null };
}

/** Failures that the filter of a page may pass over. What they do not hold is looked for by the next page. */
const LOOKED_AT_MAX = 10_000;

/** One page of failures, latest first. Throws HttpError 400 `CURSOR_INVALID`. */
export async function listFailures(
  viewer: Viewer,
  { limit, cursor, state, ...filter }: FailureQuery,
  ports: GatewayPorts,
): Promise<FailureList> {
  const freshness = await freshnessOf(ports);
  const settled = state !== undefined && state !== "open" && state !== "permanently_failed";
  const scope = settled ? { tenant: filter.tenant ?? viewer.tenant } : scopeOf(viewer, filter);
  const own = settled && !viewer.sees_all ? { tenant: viewer.tenant } : scope;
  const binding = sourceHash({ own, state: state ?? null, filter: JSON.parse(JSON.stringify(filter)) });
  const after = cursor === undefined ? undefined : readCursor(cursor, binding);
  const list = settled ? "settled" : "open";
  const failures: FailureView[] = [];
  let looked_at = 0;
  let last: string | undefined;
  for await (const failure of walkFailures(own, { list, order: "latest", after }, ports)) {
    if (failures.length === limit || looked_at === LOOKED_AT_MAX) {
      return { failures, next_cursor: last === undefined ? null : writeCursor(last, binding), freshness };
    }
    looked_at += 1;
    last = failure.position;
    if (!maySee(viewer, failure) || !matchesFilter(failure, filter)) continue;
    if (state === undefined || stateOf(failure.record, ports.replays()) === state)
      failures.push(failureView(failure, ports));
  }
  return { failures, next_cursor: null, freshness };
}

function writeCursor(position: string, binding: string): string {
  return Buffer.from(JSON.stringify([binding.slice(0, 16), position])).toString("base64url");
}

function readCursor(cursor: string, binding: string): string {
  try {
    const [bound, position]: unknown[] = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (bound === binding.slice(0, 16) && typeof position === "string" && position.length <= 500)
      return position;
  } catch {
    // It is none of ours.
  }
  const said =
    "take the cursor from next_cursor of the page before, unchanged, with the same filters as that page";
  throw new HttpError("CURSOR_INVALID", said);
}

/** A failure in a list. */
export function failureView(failure: ListedFailure, ports: Pick<GatewayPorts, "replays">): FailureView {
  const { record } = failure;
  return {
    failure: failureName(failure),
    state: stateOf(record, ports.replays()),
    queue: record.service,
    tenant: record.tenant,
    code: record.code,
    message: record.message,
    fingerprint: record.fingerprint,
    native: record.native ?? false,
    message_id: record.message_id,
    task_id: record.task_id ?? null,
    step: record.step ?? null,
    round: record.round ?? null,
    trace_id: record.trace_id ?? null,
    attempts: record.attempts,
    replays: replaysIn(record),
    first_at: record.first_at,
    last_at: record.last_at,
  };
}

/** A failure that the viewer may see. Throws HttpError 404 `FAILURE_NOT_FOUND`, for another tenant's too. */
export async function findFailureOf(
  viewer: Viewer,
  name: string,
  ports: GatewayPorts,
): Promise<ListedFailure> {
  const place = failurePlace(name);
  const is_name = FailureName.safeParse(name).success;
  const record = is_name ? await readFailure(place.tenant, place.failure_id, ports) : undefined;
  if (record && maySee(viewer, { tenant: place.tenant, record })) return { ...place, record, position: "" };
  throw new HttpError("FAILURE_NOT_FOUND", `there is no failure ${name}; agents dlq list shows yours`);
}

const GROUPS_MAX = 1000;

/** Open failures by kind, the largest kind first. */
export async function groupFailures(
  viewer: Viewer,
  filter: FailureFilter,
  ports: GatewayPorts,
): Promise<FailureGroups> {
  const freshness = await freshnessOf(ports);
  const { found, truncated } = await visibleFailures(viewer, filter, ports);
  const groups = [...Map.groupBy(found, ({ record }) => record.fingerprint).values()].map((members) =>
    groupOf(members, ports),
  );
  groups.sort((a, b) => b.count - a.count || (a.fingerprint < b.fingerprint ? -1 : 1));
  return { groups: groups.slice(0, GROUPS_MAX), counted: found.length, truncated, freshness };
}

async function visibleFailures(viewer: Viewer, filter: FailureFilter, ports: GatewayPorts) {
  const open = await openFailures(scopeOf(viewer, filter), filter, { order: "latest" }, ports);
  return { ...open, found: open.found.filter((failure) => maySee(viewer, failure)) };
}

/** The members of one kind, the latest first. */
function groupOf(members: ListedFailure[], ports: GatewayPorts): FailureGroup {
  const [latest] = members;
  if (!latest) throw new RangeError("a group has a member");
  const { fingerprint, service, code, message, last_at } = latest.record;
  return {
    fingerprint,
    queue: service,
    code,
    count: members.length,
    permanently_failed: countPermanent(members, ports),
    tenants: new Set(members.map(({ tenant }) => tenant)).size,
    first_at: members.reduce(
      (first, { record }) => (record.first_at < first ? record.first_at : first),
      last_at,
    ),
    last_at,
    message,
    example: failureName(latest),
  };
}

function countPermanent(members: ListedFailure[], { replays }: GatewayPorts): number {
  const config = replays();
  return members.filter(({ record }) => stateOf(record, config) === "permanently_failed").length;
}

const HOUR_MS = 3_600_000;
const TREND_HOURS = 24;

/** The dead-letter queues, by name. */
export async function listQueues(viewer: Viewer, ports: GatewayPorts): Promise<DeadLetterQueues> {
  const freshness = await freshnessOf(ports);
  const services = ports.services();
  const [{ found, truncated }, counts] = await Promise.all([
    visibleFailures(viewer, {}, ports),
    viewer.sees_all
      ? Promise.all(services.map((service) => countDeadLetters(service, ports)))
      : services.map(() => null),
  ]);
  const by_queue = Map.groupBy(found, ({ record }) => record.service);
  const queues = services.map((queue, index) =>
    queueView(queue, by_queue.get(queue) ?? [], counts[index] ?? null, ports),
  );
  return { queues, truncated, freshness };
}

function queueView(
  queue: string,
  members: ListedFailure[],
  messages: number | null,
  ports: GatewayPorts,
): DeadLetterQueueView {
  const now_ms = ports.runtime.now();
  const times = members.map(({ record }) => Date.parse(record.last_at));
  const oldest = times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : undefined;
  const trend = Array.from({ length: TREND_HOURS }, () => 0);
  for (const time of times) {
    const hour = TREND_HOURS - 1 - Math.floor((now_ms - time) / HOUR_MS);
    if (hour >= 0 && hour < TREND_HOURS) trend[hour] = (trend[hour] ?? 0) + 1;
  }
  return {
    queue,
    depth: members.length,
    permanently_failed: countPermanent(members, ports),
    messages,
    oldest_at: oldest === undefined ? null : instant(oldest),
    oldest_age_seconds: oldest === undefined ? null : Math.max(0, Math.floor((now_ms - oldest) / 1000)),
    trend,
  };
}
